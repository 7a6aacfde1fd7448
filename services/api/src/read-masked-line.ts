import { getChunk } from '@backfill/core/db/queries/chunk-get';
import type { TracedLine } from '@backfill/core/db/queries/event-trace-line-list';
import { getMirrorState, type MirrorState } from '@backfill/core/db/queries/mirror-state-get';
import { getPlan } from '@backfill/core/db/queries/plan-get';
import { describeError } from '@backfill/core/errors';
import type { TransformedEvent } from '@backfill/core/recipe/line-outcome';
import { compileLineMask } from '@backfill/core/recipe/mask-line';
import { archiveLayout } from '@backfill/core/storage/layout';
import { readChunk } from '@backfill/core/transform/read-chunk';
import type { ApiContext } from './context.ts';

/** Nobody waits for more of a large compressed file than this, which can only be read from its beginning. */
const MAX_BYTES = 64 * 1024 * 1024;

const REWRITTEN = 'the mirror is being rewritten';

/** A raw line with everything masked that its event does not show, or why it is not there. */
export type MaskedLine = { text: string; missing: null } | { text: null; missing: string };

const missing = (why: string): MaskedLine => ({ text: null, missing: why });

/**
 * Reads a line from the mirror, from the beginning of its stretch on.
 *
 * @param event what the line became, as it is stored; where it is undefined, only names are shown
 */
export async function readMaskedLine(
  context: Pick<ApiContext, 'pool' | 'store' | 'config' | 'logger'>,
  at: TracedLine,
  event: TransformedEvent | undefined,
): Promise<MaskedLine> {
  const { pool, store, config, logger } = context;
  const chunk = at.chunk_id === null ? undefined : await getChunk(pool, at.chunk_id);
  const plan = await getPlan(pool, at.batch_id);
  if (chunk === undefined || plan === undefined) return missing('the ledger does not know the line any more');
  // While objects are replaced the ledger has the bytes of what will be there, the store what was. Before the reading and
  // after it: somewhere else there stands another line by now, which may be somebody else's.
  const isOther = (state: MirrorState | undefined) =>
    state?.is_rewriting === true || state?.sha256 !== at.mirror_sha256;
  if (isOther(await getMirrorState(pool, at.batch_id, at.source_file))) return missing(REWRITTEN);
  const { maxLineBytes } = plan.recipe.limits;
  const object = {
    bucket: config.storage.archiveBucket,
    key: archiveLayout.mirrorObject(at.batch_id, at.source_file),
  };
  const over = new AbortController();
  try {
    let bytes = 0;
    for await (const lines of readChunk(store, object, chunk, { maxLineBytes, signal: over.signal })) {
      const line = lines.find(({ lineNo }) => lineNo === at.line_no);
      if (line !== undefined) {
        if (isOther(await getMirrorState(pool, at.batch_id, at.source_file))) return missing(REWRITTEN);
        return { text: compileLineMask(plan.recipe, chunk)(line, event), missing: null };
      }
      bytes += lines.reduce((sum, read) => sum + (read.bytes?.length ?? 0), 0);
      if (bytes > MAX_BYTES) return missing('it lies far within a compressed file');
    }
    return missing('the mirror has no such line');
  } catch (error) {
    logger.info({ batch: at.batch_id, error: describeError(error) }, 'a traced line could not be read');
    return missing('the mirror does not have it, or cannot be read');
  }
}
