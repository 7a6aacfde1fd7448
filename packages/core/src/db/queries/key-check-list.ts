import type { Queryable } from '../pool.ts';

/** Key version → check value, of every key that was ever used. */
export async function listKeyChecks(db: Queryable): Promise<Map<number, string>> {
  const { rows } = await db.query<{ key_version: number; key_check: string }>(
    'select key_version, key_check from analytics.privacy_key_checks',
  );
  return new Map(rows.map((row) => [row.key_version, row.key_check]));
}
