import type { Queryable } from '../pool.ts';
import type { Part, PartCounts } from './part-import.ts';

/** Books in the ledger what became of a part's rows. */
export async function setPartCounts(db: Queryable, partId: number, counts: PartCounts): Promise<void> {
  await db.query(
    `update analytics.backfill_import_parts
        set inserted = $2, duplicate_same_batch = $3, duplicate_other_batch = $4, duplicate_live = $5
      where part_id = $1`,
    [partId, counts.inserted, counts.same_batch, counts.other_batch, counts.live],
  );
}

/**
 * Records where each staged row came from, by the transformer's account.
 *
 * @returns rows recorded
 */
export async function recordLineage(db: Queryable, part: Part): Promise<number> {
  const { rowCount } = await db.query(
    `insert into analytics.backfill_lineage (batch_id, event_id, source_file, line_no)
     select batch_id, event_id, source_file, line_no
       from analytics.backfill_event_checkpoint_raw
      where batch_id = $1 and source_file = $2 and line_no between $3 and $4`,
    [part.batch_id, part.source_file, part.first_line, part.first_line + part.line_count - 1],
  );
  return rowCount ?? 0;
}

/**
 * Records the events that another batch or live ingestion has, for the day their owner is taken back.
 *
 * @param losers event → the batch that has it, null for live ingestion
 * @returns the events that were not on record before
 */
export async function recordLosers(
  db: Queryable,
  batchId: string,
  losers: ReadonlyMap<string, string | null>,
): Promise<ReadonlySet<string>> {
  if (losers.size === 0) return new Set();
  const { rows } = await db.query<{ event_id: string }>(
    `insert into analytics.backfill_losers (loser_batch_id, event_id, winner_batch_id, winner_attempt)
     select $1, l.event_id, l.winner, w.attempt
       from unnest($2::text[], $3::text[]) as l (event_id, winner)
       left join analytics.backfill_batches w on w.batch_id = l.winner
      -- In key order: another part of the batch may record the same events.
      order by l.event_id collate "C"
     on conflict do nothing
     returning event_id`,
    [batchId, [...losers.keys()], [...losers.values()]],
  );
  return new Set(rows.map(({ event_id }) => event_id));
}
