import type { Queryable } from '../pool.ts';

/** Where the events' database says that the dedup store is. */
export interface KeyLayout {
  events_id: string;
  is_separate: boolean;
  /** True when there are keys in the place that it names, as far as the events' database can tell. */
  has_keys: boolean;
}

/** Keys that are elsewhere can only be told by the ledger: parts were imported and not taken back, or not all the way. */
const HAS_KEYS = `case when s.is_separate
  then exists (select from analytics.backfill_import_parts p join analytics.backfill_batches b using (batch_id)
                where p.state = 'imported' and p.event_count > 0 and b.status <> 'rolled_back')
       or exists (select from analytics.backfill_rollbacks where keys_freed is null)
  else exists (select from analytics.backfill_event_checkpoint) end`;

/** Undefined in a database whose schema does not have it yet. */
export async function getKeyLayout(db: Queryable): Promise<KeyLayout | undefined> {
  const { rows: tables } = await db.query<{ there: boolean }>(
    `select to_regclass('analytics.backfill_key_store') is not null as there`,
  );
  if (tables[0]?.there !== true) return undefined;
  const { rows } = await db.query<KeyLayout>(
    `select s.events_id, s.is_separate, ${HAS_KEYS} as has_keys from analytics.backfill_key_store s`,
  );
  return rows[0];
}

/** Keeps the dedup store where it is until the transaction ends. @returns whether that is a database of its own. */
export async function holdKeyLayout(db: Queryable): Promise<boolean> {
  const { rows } = await db.query<{ is_separate: boolean }>(
    'select is_separate from analytics.backfill_key_store for share',
  );
  return rows[0]?.is_separate ?? false;
}

/** Waits until nobody counts on the store being where it is. To be followed, in the transaction, by a change. */
export async function lockKeyLayout(db: Queryable): Promise<void> {
  await db.query('select 1 from analytics.backfill_key_store for update');
}

/** Moves the dedup store, which must be empty. @returns false when it is not. */
export async function setKeyLayout(db: Queryable, isSeparate: boolean): Promise<boolean> {
  const { rowCount } = await db.query(
    `update analytics.backfill_key_store s set is_separate = $1 where s.is_separate = $1 or not ${HAS_KEYS}`,
    [isSeparate],
  );
  return rowCount === 1;
}
