import type { Queryable } from '../pool.ts';

/** A key that was taken over, and the batch that had it: the new owner itself when it was free. */
export interface TakenKey {
  event_id: string;
  previous: string;
}

/** Keeps those from being taken back that the batch lost events to, until the transaction ends. */
export async function holdOwners(db: Queryable, batchId: string): Promise<void> {
  // One that was being taken back may have handed its events over while this waited for it.
  for (let held = ''; ; ) {
    const { rows } = await db.query<{ batch_id: string }>(
      `select batch_id from analytics.backfill_batches
        where batch_id in (select winner_batch_id from analytics.backfill_losers where loser_batch_id = $1)
        order by batch_id for key share`,
      [batchId],
    );
    const found = rows.map(({ batch_id }) => batch_id).join(' ');
    if (found === held) return;
    held = found;
  }
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
  // Claims what is free and holds the rest as it is: afterwards nobody else can change what is read here. (What a row
  // was before an update can only be returned from PostgreSQL 18 on.)
  const { rows } = await keys.query<TakenKey>(
    `insert into analytics.backfill_event_checkpoint as k (event_id, batch_id)
     select event_id, $2 from unnest($1::text[]) as event_id
      order by event_id collate "C"
     on conflict (event_id) do update set batch_id = k.batch_id
     returning event_id, batch_id as previous`,
    [eventIds, batchId],
  );
  const foreign = rows.filter(({ previous }) => previous !== batchId).map(({ event_id }) => event_id);
  await keys.query(
    `update analytics.backfill_event_checkpoint set batch_id = $2, seen_at = now(), part_id = null
      where event_id = any ($1)`,
    [foreign, batchId],
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
        where previous <> $1
     ), recorded as (
       insert into analytics.backfill_losers as l (loser_batch_id, event_id, winner_batch_id, winner_attempt, to_publish)
       select o.loser_batch_id, o.event_id, w.batch_id, w.attempt, true
         from others o, analytics.backfill_batches w where w.batch_id = $1
        order by o.event_id, o.loser_batch_id
       on conflict (loser_batch_id, event_id) do update
          set winner_batch_id = excluded.winner_batch_id, winner_attempt = excluded.winner_attempt
       returning loser_batch_id
     )
     select distinct loser_batch_id from recorded`,
    [batchId, ids, taken.map(({ previous }) => previous)],
  );
  return rows.map(({ loser_batch_id }) => loser_batch_id);
}

/**
 * Records that the batch, which has just published, has all the events of it that others mean to publish: also those
 * whose keys were its own, since their records may name an owner before it.
 */
export async function recordPublishedEvents(db: Queryable, batchId: string): Promise<void> {
  await db.query(
    `with overtaken as (
       select l.loser_batch_id, l.event_id
         from analytics.backfill_losers l, analytics.backfill_batches w
        where w.batch_id = $1 and l.to_publish and l.loser_batch_id <> $1
          and (l.winner_batch_id, l.winner_attempt) is distinct from (w.batch_id, w.attempt)
          -- Asked once: mostly nobody else means to publish anything, and the batch's events need not be read.
          and exists (select 1 from analytics.backfill_losers where to_publish and loser_batch_id <> $1)
          and l.event_id in (
            select e.event_id from analytics.events_log e, analytics.backfill_batches b
             where b.batch_id = $1 and e.batch_id = $1 and e.deleted_at is null
               and e.event_ts >= b.window_start and e.event_ts < b.window_end)
        order by l.event_id, l.loser_batch_id
          for no key update of l
     )
     update analytics.backfill_losers l set winner_batch_id = w.batch_id, winner_attempt = w.attempt
       from overtaken o, analytics.backfill_batches w
      where w.batch_id = $1 and l.loser_batch_id = o.loser_batch_id and l.event_id = o.event_id`,
    [batchId],
  );
}

/** Batches that mean to publish events which the batch has. */
export async function listRivals(db: Queryable, batchId: string): Promise<string[]> {
  const { rows } = await db.query<{ loser_batch_id: string }>(
    'select distinct loser_batch_id from analytics.backfill_losers where winner_batch_id = $1 and to_publish',
    [batchId],
  );
  return rows.map(({ loser_batch_id }) => loser_batch_id);
}
