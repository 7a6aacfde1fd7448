/** Why a staged row is not new: its batch repeats it, another batch has it, live ingestion wrote it. */
export type DuplicateKind = 'same_batch' | 'other_batch' | 'live';

/** Who has which of a part's events, when its own claims are made. */
export interface EventHolders {
  /** Live rows: event → the batch that wrote it, null for live ingestion. */
  live: ReadonlyMap<string, string | null>;
  /** Keys that the part found taken: event → batch. */
  owners: ReadonlyMap<string, string>;
  /** Holders (null: live ingestion) that have nothing live when the batch is published: it replaces them, or another did. */
  givingWay: ReadonlySet<string | null>;
}

/** Who has an event: a batch, null for live ingestion, undefined for nobody. */
function holderOf(eventId: string, { live, owners }: EventHolders): string | null | undefined {
  return live.has(eventId) ? live.get(eventId) : owners.get(eventId);
}

/** Events that others have, with the batch that does; null for live ingestion. */
export function losersOf(batchId: string, { live, owners }: EventHolders): Map<string, string | null> {
  const others = [...owners].filter(([, owner]) => owner !== batchId);
  return new Map<string, string | null>([...others, ...live]);
}

/**
 * Tells which of a part's rows are not new, and why. What somebody else has is overlap (`live`, `other_batch`) however
 * often the batch repeats it; `same_batch` are repeats of the batch's own events, in this part or an earlier one. What a
 * holder has that gives way counts as the batch's own.
 *
 * @param eventIds of the part's rows, in order
 * @param newlyLost events that the batch lost for the first time with this part
 * @returns row (from 0) → kind; a row that is not in it is new
 */
export function judgeRows(
  eventIds: readonly string[],
  batchId: string,
  holders: EventHolders,
  newlyLost: ReadonlySet<string> = new Set(),
): Map<number, DuplicateKind> {
  const { live, owners, givingWay } = holders;
  const kinds = new Map<number, DuplicateKind>();
  const seen = new Set<string>();
  for (const [row, eventId] of eventIds.entries()) {
    const writer = live.get(eventId);
    const owner = owners.get(eventId);
    const holder = holderOf(eventId, holders);
    if (holder !== undefined && givingWay.has(holder)) {
      if (owner === batchId || seen.has(eventId) || !newlyLost.has(eventId)) kinds.set(row, 'same_batch');
    } else if (writer !== undefined) kinds.set(row, writer === null ? 'live' : 'other_batch');
    else if (owner !== undefined && owner !== batchId) kinds.set(row, 'other_batch');
    else if (owner === batchId || seen.has(eventId)) kinds.set(row, 'same_batch');
    seen.add(eventId);
  }
  return kinds;
}
