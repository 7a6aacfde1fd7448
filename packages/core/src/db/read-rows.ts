import type pg from 'pg';
import type { Queryable } from './pool.ts';

let cursors = 0;

/**
 * Reads the rows of a query a block at a time, in bounded memory, one block ahead of the reader; inside a transaction,
 * which also ends it. An SQL cursor and ordinary statements, since those fail when the server ends the session: a
 * stream over a portal (pg-query-stream) waits for an answer then, for ever.
 *
 * @param blockRows rows of each block but the last
 */
export async function* readRows<Row extends pg.QueryResultRow>(
  db: Queryable,
  sql: string,
  values: unknown[],
  blockRows: number,
): AsyncGenerator<Row[]> {
  cursors += 1;
  const cursor = `rows_${cursors}`;
  // All rows are wanted, not the first ones fast.
  await db.query(`select set_config('cursor_tuple_fraction', '1', true)`);
  await db.query(`declare ${cursor} no scroll cursor for ${sql}`, values);
  const fetch = () => {
    const fetched = db.query<Row>(`fetch ${blockRows} from ${cursor}`);
    // Told to the reader when it comes to this block, if it does.
    fetched.catch(() => undefined);
    return fetched;
  };
  for (let next = fetch(); ; ) {
    const { rows } = await next;
    const isLast = rows.length < blockRows;
    if (!isLast) next = fetch();
    if (rows.length > 0) yield rows;
    if (isLast) break;
  }
  await db.query(`close ${cursor}`);
}
