import type { PartBooks } from '../../erasure/amend-part-counts.ts';
import type { Client } from '../pool.ts';

/** What a part's ledger row says after an erasure. */
export interface AmendedPart {
  part_id: number;
  /** To be taken from the counts. */
  accepted: number;
  quarantined: number;
  filtered: number;
  expired: number;
  taken: PartBooks;
  /** The object in the place of the old one: null when no event is left, absent when it stays. */
  object?: { key: string; sha256: string; bytes: number } | null;
}

/** Books lines of a part as suppressed, whatever they were. */
export async function amendPart(client: Client, part: AmendedPart): Promise<void> {
  const { part_id: partId, accepted, quarantined, filtered, expired, taken, object } = part;
  await client.query(
    `update analytics.backfill_import_parts
        set event_count = event_count - $2, suppressed = suppressed + $2 + $3 + $4 + $5, quarantined = quarantined - $3,
            filtered = filtered - $4, expired = expired - $5, inserted = inserted - $6,
            duplicate_same_batch = duplicate_same_batch - $7, duplicate_other_batch = duplicate_other_batch - $8,
            duplicate_live = duplicate_live - $9,
            -- Nothing to import is as good as imported.
            state = case when event_count = $2 then 'imported' else state end
      where part_id = $1`,
    [
      ...[partId, accepted, quarantined, filtered, expired, taken.inserted],
      ...[taken.duplicate_same_batch, taken.duplicate_other_batch, taken.duplicate_live],
    ],
  );
  if (object === undefined) return;
  await client.query(
    `update analytics.backfill_import_parts set object_key = $2, object_sha256 = $3, object_bytes = $4 where part_id = $1`,
    [partId, object?.key ?? null, object?.sha256 ?? null, object?.bytes ?? 0],
  );
}
