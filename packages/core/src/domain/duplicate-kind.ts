/** Why a staged row is not new: its batch repeats it, another batch has it, live ingestion wrote it. */
export type DuplicateKind = 'same_batch' | 'other_batch' | 'live';

/** Who has which of a part's events, when its own claims are made. */
export interface EventHolders {
  /** Live rows: event → the batch that wrote it, null for live ingestion. */
  live: ReadonlyMap<string, string | null>;
  /** Keys that the part found taken: event → batch. */
  owners: ReadonlyMap<string, string>;
}

/**
 * Tells which of a part's rows are not new, and why. What somebody else has is overlap (`live`, `other_batch`) however
 * often the batch repeats it; `same_batch` are repeats of the batch's own events, in this part or an earlier one.
 *
 * @param eventIds of the part's rows, in order
 * @returns row (from 0) → kind; a row that is not in it is new
 */
export function judgeRows(
  eventIds: readonly string[],
  batchId: string,
  { live, owners }: EventHolders,
): Map<number, DuplicateKind> {
  const kinds = new Map<number, DuplicateKind>();
  const seen = new Set<string>();
  for (const [row, eventId] of eventIds.entries()) {
    const writer = live.get(eventId);
    const owner = owners.get(eventId);
    if (writer !== undefined) kinds.set(row, writer === null ? 'live' : 'other_batch');
    else if (owner !== undefined && owner !== batchId) kinds.set(row, 'other_batch');
    else if (owner === batchId || seen.has(eventId)) kinds.set(row, 'same_batch');
    seen.add(eventId);
  }
  return kinds;
}
