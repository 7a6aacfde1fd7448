import type { Queryable } from '../pool.ts';

/** An object of a batch that takes the place of another, or goes. */
export interface ErasureObject {
  object_no: number;
  batch_id: string;
  from_key: string;
  to_key: string | null;
}

/** Writes down what is to be done with objects once the transaction is committed. */
export async function insertErasureObjects(
  db: Queryable,
  batchId: string,
  objects: readonly { from: string; to: string | null }[],
): Promise<void> {
  await db.query(
    `insert into analytics.backfill_erasure_objects (batch_id, from_key, to_key)
     select $1, o ->> 'from', o ->> 'to' from jsonb_array_elements($2::jsonb) with ordinality as given (o, at) order by at`,
    [batchId, JSON.stringify(objects)],
  );
}

/** What is still to be done, in order; of one batch or of all. */
export async function listErasureObjects(db: Queryable, batchId?: string): Promise<ErasureObject[]> {
  const { rows } = await db.query<ErasureObject>(
    `select * from analytics.backfill_erasure_objects where $1::text is null or batch_id = $1 order by object_no limit 10000`,
    [batchId ?? null],
  );
  return rows;
}

export async function hasErasureObjects(db: Queryable): Promise<boolean> {
  const { rowCount } = await db.query('select 1 from analytics.backfill_erasure_objects limit 1');
  return rowCount === 1;
}

/** How long the object store may take for an object. */
const IDLE_TIMEOUT = '30min';

/** Holds a piece of work until the transaction ends. @returns false when it was done meanwhile */
export async function holdErasureObject(db: Queryable, objectNo: number): Promise<boolean> {
  await db.query(`select set_config('idle_in_transaction_session_timeout', '${IDLE_TIMEOUT}', true)`);
  const { rowCount } = await db.query(
    'select 1 from analytics.backfill_erasure_objects where object_no = $1 for update',
    [objectNo],
  );
  return rowCount === 1;
}

export async function deleteErasureObject(db: Queryable, objectNo: number): Promise<void> {
  await db.query('delete from analytics.backfill_erasure_objects where object_no = $1', [objectNo]);
}
