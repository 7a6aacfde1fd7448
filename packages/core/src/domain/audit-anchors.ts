import { z } from 'zod';
import type { SealedEntry } from './audit-chain.ts';
import { RESTING_STATUSES } from './batch-status.ts';
import { tryParseJson } from './try-json.ts';

/** A head is anchored after so many entries at the latest. */
const ENTRIES_PER_HEAD = 1_000;

const ToRest = z.object({ to: z.enum(RESTING_STATUSES as [string, ...string[]]) });

/**
 * The last entry that a head has to cover: the last one, when a batch came to rest or many entries were sealed since.
 *
 * @param anchorNo the one until now
 * @param sealed what was sealed after it, in order
 */
export function nextAnchorNo(anchorNo: number, sealed: readonly SealedEntry[]): number {
  const last = sealed.at(-1)?.chain_no ?? anchorNo;
  const rests = sealed.some(
    ({ action, detail }) => action === 'status' && ToRest.safeParse(tryParseJson(detail)).success,
  );
  return rests || last - anchorNo >= ENTRIES_PER_HEAD ? last : anchorNo;
}
