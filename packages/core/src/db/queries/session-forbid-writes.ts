import type { Client } from '../pool.ts';

/** From here on the session can write to nothing but its temporary tables. */
export async function forbidWrites(db: Client): Promise<void> {
  await db.query('set session characteristics as transaction read only');
}
