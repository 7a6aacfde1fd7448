import { avoidNestedLoops } from '@backfill/core/db/queries/avoid-nested-loops';
import { getBatch } from '@backfill/core/db/queries/batch-get';
import {
  countReplacedRows,
  listReplacementChanges,
  REPLACED_ROWS_SQL,
  REPLACEMENT_CHANGES_SQL,
  type ReplacedRows,
} from '@backfill/core/db/queries/replaced-rows';
import type { BatchReader } from '@backfill/core/dispatch/read-for-batch';
import type { GateResult } from '@backfill/core/domain/gate-result';
import { replacementProblem } from '@backfill/core/domain/replacement';
import { foldChanges } from '@backfill/core/domain/replacement-change';
import type { Plan } from '@backfill/core/plan/plan';

/** What would be replaced, when it was looked at; null where nothing is. */
export interface ReplacesFindings {
  gates: GateResult[];
  replaced: ReplacedRows | null;
}

/**
 * Whether what the batch replaces is still there to be replaced, and what changes against it. The detail is what is signed:
 * the rows that go, and per type and day how many are added, gone, changed or the same.
 */
export async function measureReplaces(
  read: BatchReader,
  { batchId, recipe, replaces }: Pick<Plan, 'batchId' | 'recipe' | 'replaces'>,
): Promise<ReplacesFindings> {
  if (replaces === undefined) return { gates: [], replaced: null };
  const span = { source: recipe.source.source, ...recipe.window, replaces };
  return read(async (client) => {
    await avoidNestedLoops(client);
    const replaced = await countReplacedRows(client, span);
    const changes = await listReplacementChanges(client, batchId, span);
    const why =
      'live' in replaces
        ? undefined
        : replacementProblem(
            {
              source: span.source,
              window_start: new Date(recipe.window.startMs),
              window_end: new Date(recipe.window.endMs),
            },
            await getBatch(client, replaces.batch_id),
          );
    const gate = {
      gate: 'replaces',
      threshold: 0,
      observed: why === undefined ? 0 : 1,
      passed: why === undefined,
      procedure: `${REPLACED_ROWS_SQL.trim()};\n${REPLACEMENT_CHANGES_SQL.trim()}`,
      detail: {
        replaces,
        rows: replaced.rows,
        fingerprint: replaced.fingerprint,
        changes: foldChanges(changes),
        ...(why !== undefined && { why }),
      },
    };
    return { gates: [gate], replaced };
  });
}
