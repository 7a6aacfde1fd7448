import type { Client } from '../pool.ts';

/**
 * Has the transaction join by hash or by sort only. Tables that were just written have no statistics yet, and PostgreSQL
 * takes few rows for one: a nested loop over the rows of a whole batch, of which none was expected, takes hours. For
 * statements that read a batch as a whole. They must give the times of a window as constants: read from a table, they only
 * tell in which days to look when they come from the outer side of a loop.
 */
export async function avoidNestedLoops(db: Client): Promise<void> {
  await db.query(`select set_config('enable_nestloop', 'off', true)`);
}
