import type { MirrorObject } from '@backfill/core/db/queries/mirror-object-list';
import type { FileReading } from '@backfill/core/domain/recount-seal';
import { LinesDigest } from './lines-digest.ts';
import { openMirrorLines, secondReadingOf } from './mirror-lines.ts';
import type { RecountContext } from './recount-context.ts';
import type { SecondOutcome } from './second-reading.ts';

/** Reads a mirrored file by the second reading alone, without a look at the ledger. */
export async function readFile(context: RecountContext, file: MirrorObject, signal: AbortSignal): Promise<FileReading> {
  const readLine = secondReadingOf(context, file);
  const digest = new LinesDigest();
  const outcomes = { accepted: 0, quarantined: 0, suppressed: 0, expired: 0, filtered: 0 };
  const { lines: blocks, sha256 } = await openMirrorLines(context, file, signal);
  let lines = 0;

  function isSuppressed(second: SecondOutcome): boolean {
    return 'subjectId' in second && second.subjectId !== null && context.isSuppressed(second.subjectId);
  }

  for await (const block of blocks) {
    for (const line of block) {
      const second = readLine(line);
      lines += 1;
      if (line.isErased === true || isSuppressed(second)) {
        outcomes.suppressed += 1;
        continue;
      }
      outcomes[second.outcome] += 1;
      if (second.outcome === 'accepted') digest.add(line.lineNo, second.eventId);
      else if (second.outcome === 'quarantined') digest.add(line.lineNo, null);
    }
  }
  return { plan_hash: context.planHash, sha256: sha256(), lines, outcomes, digest: digest.hex() };
}
