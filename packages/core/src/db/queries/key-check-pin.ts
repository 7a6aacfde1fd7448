import type { Queryable } from '../pool.ts';

/**
 * Remembers the check value of a key version on its first use.
 *
 * @returns false when the version is known with another check value: this is not the key the stored pseudonyms
 *   were made with.
 */
export async function pinKeyCheck(db: Queryable, keyVersion: number, keyCheck: string): Promise<boolean> {
  const { rows } = await db.query<{ key_check: string }>(
    `with pinned as (
       insert into analytics.privacy_key_checks (key_version, key_check) values ($1, $2)
       on conflict do nothing returning key_check
     )
     select key_check from pinned union all
     select key_check from analytics.privacy_key_checks where key_version = $1`,
    [keyVersion, keyCheck],
  );
  return rows[0]?.key_check === keyCheck;
}
