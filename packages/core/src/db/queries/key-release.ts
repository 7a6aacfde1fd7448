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
