import type { Client, Queryable } from '../pool.ts';

/** Holds rollbacks of some sources off until the transaction ends: they prove that nobody takes others' rows away. */
export async function holdRollbacks(client: Client, sources: readonly string[]): Promise<void> {
  for (const source of [...sources].sort()) {
    await client.query('select pg_advisory_xact_lock(7403116, hashtext($1))', [source]);
  }
}

/** What stands of a person in a partition of the stored events. */
export interface StoredOfPerson {
  rows: number;
  sources: string[];
  /** Batches that have live rows of theirs. */
  batches: string[];
}

export async function findStoredEvents(
  db: Queryable,
  leaf: string,
  pseudonyms: readonly string[],
): Promise<StoredOfPerson> {
  const { rows } = await db.query<StoredOfPerson>(
    `select count(*) as rows, coalesce(array_agg(distinct e.source), '{}') as sources,
            coalesce(array_agg(distinct b.batch_id) filter (where b.batch_id is not null), '{}') as batches
       from analytics.${leaf} e
       left join analytics.backfill_batches b on b.batch_id = e.batch_id and e.deleted_at is null
      where e.subject_id = any ($1)`,
    [pseudonyms],
  );
  return rows[0] ?? { rows: 0, sources: [], batches: [] };
}

/**
 * Deletes a person's stored events out of a partition: live ingestion's and tombstones, whoever wrote them. Live rows of
 * batches stay for the step that amends the books of the batch. The ids of all are kept for the other stores.
 *
 * @returns how many were deleted
 */
export async function eraseStoredEvents(
  client: Client,
  leaf: string,
  { erasureId, pseudonyms }: { erasureId: number; pseudonyms: readonly string[] },
): Promise<number> {
  await client.query(
    `insert into analytics.backfill_erasure_events (erasure_id, event_id, batch_id)
     select distinct $1::bigint, event_id, coalesce(batch_id, '') from analytics.${leaf}
      where subject_id = any ($2) order by 2, 3
     on conflict do nothing`,
    [erasureId, pseudonyms],
  );
  const { rowCount } = await client.query(
    `delete from analytics.${leaf} e
      where e.subject_id = any ($1)
        and (e.deleted_at is not null or e.batch_id is null
             or not exists (select 1 from analytics.backfill_batches b where b.batch_id = e.batch_id))`,
    [pseudonyms],
  );
  return rowCount ?? 0;
}

/** Deletes what live ingestion has lost of the events that are being erased. */
export async function eraseLiveLosses(client: Client, erasureId: number): Promise<number> {
  const { rowCount } = await client.query(
    `delete from analytics.backfill_live_losses l
      where l.event_id in (select event_id from analytics.backfill_erasure_events where erasure_id = $1)`,
    [erasureId],
  );
  return rowCount ?? 0;
}

/** A page of the events that are being erased and of which nothing is live any more, in order. */
export async function listErasedEvents(
  db: Queryable,
  erasureId: number,
  after: string,
  limit: number,
): Promise<string[]> {
  const { rows } = await db.query<{ event_id: string }>(
    `select distinct x.event_id from analytics.backfill_erasure_events x
      where x.erasure_id = $1 and x.event_id > $2
        -- Of a batch that could not be amended: its key is what keeps a second one away.
        and not exists (select 1 from analytics.events_log e where e.event_id = x.event_id and e.deleted_at is null)
      order by x.event_id limit $3`,
    [erasureId, after, limit],
  );
  return rows.map((row) => row.event_id);
}

/** Deletes dedup keys. @returns how many there were */
export async function eraseKeys(db: Queryable, eventIds: readonly string[]): Promise<number> {
  const { rowCount } = await db.query(
    `delete from analytics.backfill_event_checkpoint k using (
       select k2.event_id from analytics.backfill_event_checkpoint k2 where k2.event_id = any ($1)
        order by k2.event_id for update) held
      where k.event_id = held.event_id`,
    [eventIds],
  );
  return rowCount ?? 0;
}
