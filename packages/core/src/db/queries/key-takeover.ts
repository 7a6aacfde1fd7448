import type { Queryable } from '../pool.ts';

/** A key that was taken over, and the batch that had it; null when it was free. */
export interface TakenKey {
  event_id: string;
  previous: string | null;
}

/** Keeps those from being taken back whose events the batch means to publish, until the transaction ends. */
export async function holdOwnersToTakeOver(db: Queryable, batchId: string): Promise<void> {
  await db.query(
    `select 1 from analytics.backfill_batches
      where batch_id in (select winner_batch_id from analytics.backfill_losers where loser_batch_id = $1 and to_publish)
      order by batch_id for key share`,
    [batchId],
  );
}

/** Events that the batch has published although their keys are not its own, in key order, after the given one. */
export async function listEventsToTakeOver(
  db: Queryable,
  batchId: string,
  after: string,
  limit: number,
): Promise<string[]> {
  const { rows } = await db.query<{ event_id: string }>(
    `select event_id from analytics.backfill_losers
      where loser_batch_id = $1 and to_publish and event_id > $2 order by event_id limit $3`,
    [batchId, after, limit],
  );
  return rows.map(({ event_id }) => event_id);
}

/** Makes the batch the owner of events, in the dedup store, whoever had them. */
export async function takeKeys(keys: Queryable, batchId: string, eventIds: readonly string[]): Promise<TakenKey[]> {
  const { rows } = await keys.query<TakenKey>(
    `insert into analytics.backfill_event_checkpoint (event_id, batch_id)
     select event_id, $2 from unnest($1::text[]) as event_id
      order by event_id collate "C"
     on conflict (event_id) do update set batch_id = excluded.batch_id, seen_at = excluded.seen_at, part_id = null
     returning event_id, old.batch_id as previous`,
    [eventIds, batchId],
  );
  return rows;
}

/**
 * Records that the batch owns events now, and everybody else who delivered them has lost to it. What those mean to
 * publish stays as they signed it; their own gates decide anew.
 *
 * @returns the batches that lost
 */
export async function recordTakenKeys(db: Queryable, batchId: string, taken: readonly TakenKey[]): Promise<string[]> {
  const ids = taken.map(({ event_id }) => event_id);
  await db.query('delete from analytics.backfill_losers where loser_batch_id = $1 and event_id = any ($2)', [
    batchId,
    ids,
  ]);
  const { rows } = await db.query<{ loser_batch_id: string }>(
    `with others as (
       select loser_batch_id, event_id from analytics.backfill_losers where event_id = any ($2)
       union
       select previous, event_id from unnest($3::text[], $2::text[]) as t (previous, event_id)
        where previous is not null and previous <> $1
     ), recorded as (
       insert into analytics.backfill_losers as l (loser_batch_id, event_id, winner_batch_id, to_publish)
       select loser_batch_id, event_id, $1, true from others order by event_id, loser_batch_id
       on conflict (loser_batch_id, event_id) do update set winner_batch_id = excluded.winner_batch_id
       returning loser_batch_id
     )
     select distinct loser_batch_id from recorded`,
    [batchId, ids, taken.map(({ previous }) => previous)],
  );
  return rows.map(({ loser_batch_id }) => loser_batch_id);
}

/** Batches that mean to publish events which the batch has. */
export async function listRivals(db: Queryable, batchId: string): Promise<string[]> {
  const { rows } = await db.query<{ loser_batch_id: string }>(
    'select distinct loser_batch_id from analytics.backfill_losers where winner_batch_id = $1 and to_publish',
    [batchId],
  );
  return rows.map(({ loser_batch_id }) => loser_batch_id);
}
