import type { Queryable } from '../pool.ts';

/** Makes the temporary table that a part is loaded into; it goes with the transaction. */
export async function createPartRows(db: Queryable): Promise<void> {
  await db.query(
    `create temporary table part_rows (
       line_no bigint not null,
       event_id text collate "C" not null,
       event_name text not null,
       schema_version text not null,
       event_ts timestamptz(3) not null,
       session_id text,
       subject_id text,
       payload json not null
     ) on commit drop`,
  );
}

/** Tells the planner what was loaded: temporary tables have no statistics of their own accord. */
export async function analyzePartRows(db: Queryable): Promise<void> {
  await db.query('analyze pg_temp.part_rows (event_id, event_ts)');
}
