import type { Queryable } from '../pool.ts';

export interface ApiToken {
  actor: string;
  roles: string[];
}

/** The token with this hash (lower-case hex sha256), or undefined when it is unknown, expired or revoked. */
export async function getApiToken(db: Queryable, tokenSha256: string): Promise<ApiToken | undefined> {
  const { rows } = await db.query<ApiToken>(
    `select actor, roles from analytics.backfill_api_tokens
      where token_sha256 = $1 and revoked_at is null and (expires_at is null or expires_at > now())`,
    [tokenSha256],
  );
  return rows[0];
}
