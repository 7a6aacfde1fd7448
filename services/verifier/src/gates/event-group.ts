import type { DuplicateKind } from '@backfill/core/domain/duplicate-kind';

/** What a staged row says of itself. */
export interface FlaggedRow {
  event_id: string;
  is_duplicate: boolean;
  duplicate_kind: DuplicateKind | null;
  /** Recorded as lost to another batch or live ingestion. */
  is_lost: boolean;
}

/**
 * Looks at the flags of rows that come in id order, new rows before duplicates, repeats last: at most one of an event is new, what
 * another has is recorded as lost, and what repeats an event has one that it repeats.
 */
export class EventGroup {
  #eventId: string | undefined;
  #hasNew = false;
  #hasFirst = false;

  /** What is wrong with the flags of the next row; undefined when nothing is. */
  add({ event_id, is_duplicate, duplicate_kind, is_lost }: FlaggedRow): string | undefined {
    if (event_id !== this.#eventId) {
      this.#eventId = event_id;
      this.#hasNew = false;
      this.#hasFirst = false;
    }
    if (is_duplicate !== (duplicate_kind !== null)) return 'is_duplicate';
    if (!is_duplicate) {
      if (this.#hasNew) return 'staged twice as new';
      this.#hasNew = true;
      this.#hasFirst = true;
      return undefined;
    }
    if (duplicate_kind === 'same_batch') return this.#hasFirst ? undefined : 'repeats nothing';
    this.#hasFirst = true;
    return is_lost ? undefined : 'lost to nobody';
  }
}
