import type { Queryable } from '../pool.ts';

/** What a database says about its fitness to hold the keys of another. */
export interface KeyDatabase {
  /** `max_prepared_transactions`: how many transactions may be prepared at once. */
  max_prepared: number;
  /** True when it holds batches: it is an events database, maybe the very one whose keys it is to hold. */
  has_batches: boolean;
  /** The events database that it belongs to; null when it is new. */
  events_id: string | null;
}

/** Looks at a database, whatever is in it. */
export async function getKeyDatabase(db: Queryable): Promise<KeyDatabase> {
  const { rows } = await db.query<Omit<KeyDatabase, 'events_id'> & { has_store: boolean }>(
    `select current_setting('max_prepared_transactions')::int as max_prepared,
            to_regclass('analytics.backfill_batches') is not null as has_batches,
            to_regclass('analytics.backfill_key_store') is not null as has_store`,
  );
  const [found] = rows;
  if (found === undefined) throw new Error('the database says nothing about itself');
  const { max_prepared, has_batches, has_store } = found;
  return { max_prepared, has_batches, events_id: has_store ? await getStoreOwner(db) : null };
}

async function getStoreOwner(db: Queryable): Promise<string | null> {
  const { rows } = await db.query<{ events_id: string }>('select events_id from analytics.backfill_key_store');
  return rows[0]?.events_id ?? null;
}

/** Takes a new store for an events database. @returns the one that it belongs to, which may be another. */
export async function adoptKeyStore(db: Queryable, eventsId: string): Promise<string | null> {
  await db.query('insert into analytics.backfill_key_store (events_id) values ($1) on conflict do nothing', [eventsId]);
  return getStoreOwner(db);
}
