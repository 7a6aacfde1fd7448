import type { Queryable } from '../pool.ts';

/** A batch that is rolled back while its keys, in another database, are not freed yet. */
export interface KeyRelease {
  rollback_id: number;
  batch_id: string;
  attempt: number;
  /** Of a rollback of the window: where its keys begin, and where they end, in the order of the keys; null for all keys. */
  first_key: string | null;
  end_key: string | null;
}

/** Open releases, oldest first. */
export async function listKeyReleases(db: Queryable): Promise<KeyRelease[]> {
  const { rows } = await db.query<KeyRelease>(
    `select r.rollback_id, r.batch_id, r.attempt,
            case r.mode when 'window' then analytics.first_event_id(b.source, b.window_start) end as first_key,
            case r.mode when 'window' then analytics.first_event_id(b.source, b.window_end) end as end_key
       from analytics.backfill_rollbacks r join analytics.backfill_batches b using (batch_id)
      where r.keys_freed is null order by r.rollback_id limit 100`,
  );
  return rows;
}

/** Takes a release for this transaction. @returns false when somebody else has it or has done it. */
export async function lockKeyRelease(db: Queryable, rollbackId: number): Promise<boolean> {
  const { rowCount } = await db.query(
    `select 1 from analytics.backfill_rollbacks
      where rollback_id = $1 and keys_freed is null for update skip locked`,
    [rollbackId],
  );
  return rowCount === 1;
}

/** True when one of the batches is rolled back and still has keys. */
export async function hasOpenRelease(db: Queryable, batchIds: readonly string[]): Promise<boolean> {
  const { rowCount } = await db.query(
    'select 1 from analytics.backfill_rollbacks where keys_freed is null and batch_id = any ($1) limit 1',
    [batchIds],
  );
  return rowCount === 1;
}

/** Completes the proof of a rollback. */
export async function setKeysFreed(db: Queryable, rollbackId: number, freed: number, after: number): Promise<void> {
  await db.query('update analytics.backfill_rollbacks set keys_freed = $2, keys_after = $3 where rollback_id = $1', [
    rollbackId,
    freed,
    after,
  ]);
}

/** An event that a rollback handed over, and the batch that has it live now. */
export interface RehomedKey {
  event_id: string;
  batch_id: string;
}

/** Keeps all batches from being taken back that may have got something from this one, until the transaction ends. */
export async function holdHeirs(db: Queryable, batchId: string): Promise<void> {
  await db.query(
    `select 1 from analytics.backfill_batches h, analytics.backfill_batches b
      where b.batch_id = $1 and h.batch_id <> $1 and h.source = b.source and h.rows_live
        and h.window_start < b.window_end and h.window_end > b.window_start
      order by h.batch_id for key share of h`,
    [batchId],
  );
}

/**
 * Events that the batch handed over, in key order, and the batches that have them now: those that they were handed to, or
 * whoever came after these. Of what nobody has, a batch that was replaced keeps its claim.
 */
export async function listRehomedKeys(
  db: Queryable,
  { batch_id, attempt }: KeyRelease,
  after: string,
  limit: number,
): Promise<RehomedKey[]> {
  const { rows } = await db.query<RehomedKey>(
    `select h.event_id, coalesce(e.batch_id, r.batch_id) as batch_id
       from analytics.backfill_batches b
       join analytics.backfill_handovers h on h.from_batch_id = b.batch_id and h.from_attempt = $2
       left join analytics.events_log e
              on e.event_id = h.event_id and e.deleted_at is null
             and e.event_ts >= b.window_start and e.event_ts < b.window_end
       left join analytics.backfill_batches r
              on r.batch_id = h.to_batch_id and r.replaced_by is not null and e.event_id is null
      where b.batch_id = $1 and h.event_id > $3 and coalesce(e.batch_id, r.batch_id) is not null
      order by h.event_id limit $4`,
    [batch_id, attempt, after, limit],
  );
  return rows;
}

/** Gives keys of a batch to those that have its events now, in their own database. */
export async function rehomeKeys(db: Queryable, batchId: string, keys: readonly RehomedKey[]): Promise<void> {
  await db.query(
    `update analytics.backfill_event_checkpoint k set batch_id = h.batch_id, part_id = null
       from unnest($2::text[], $3::text[]) as h (event_id, batch_id)
      where k.event_id = h.event_id and k.batch_id = $1`,
    [batchId, keys.map(({ event_id }) => event_id), keys.map(({ batch_id }) => batch_id)],
  );
}

/** Frees the keys of a release, in their own database. @returns how many there were, and how many are left */
export async function deleteReleasedKeys(
  db: Queryable,
  { batch_id, first_key, end_key }: Omit<KeyRelease, 'rollback_id' | 'attempt'>,
): Promise<{ freed: number; after: number }> {
  const released = `batch_id = $1 and ($2::text is null or (event_id >= $2 and event_id < $3))`;
  const values = [batch_id, first_key, end_key];
  const { rowCount } = await db.query(`delete from analytics.backfill_event_checkpoint where ${released}`, values);
  const { rows } = await db.query<{ after: number }>(
    `select count(*) as after from analytics.backfill_event_checkpoint where ${released}`,
    values,
  );
  return { freed: rowCount ?? 0, after: rows[0]?.after ?? 0 };
}
