import type { Client } from '../pool.ts';

/** Gives up each further statement of the transaction that takes longer than this, with PostgreSQL's code 57014. */
export async function limitStatements(db: Client, seconds: number): Promise<void> {
  await db.query(`select set_config('statement_timeout', $1, true)`, [`${seconds}s`]);
}
