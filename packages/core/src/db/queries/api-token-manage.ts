import type { Queryable } from '../pool.ts';

/** A token as it is listed: never the token, and nothing that it could be found by. */
export interface ApiTokenRow {
  token_id: number;
  actor: string;
  roles: string[];
  created_at: Date;
  expires_at: Date | null;
  revoked_at: Date | null;
  /** By the database's clock. */
  is_valid: boolean;
}

const COLUMNS = `token_id, actor, roles, created_at, expires_at, revoked_at,
  revoked_at is null and (expires_at is null or expires_at > now()) as is_valid`;

/** Stores a token by its hash (lower-case hex sha256). The audit log has it from a trigger. */
export async function insertApiToken(
  db: Queryable,
  token: { sha256: string; actor: string; roles: readonly string[]; expiresAt: Date | null },
): Promise<ApiTokenRow> {
  const { rows } = await db.query<ApiTokenRow>(
    `insert into analytics.backfill_api_tokens (token_sha256, actor, roles, expires_at)
     values ($1, $2, $3, $4) returning ${COLUMNS}`,
    [token.sha256, token.actor, token.roles, token.expiresAt],
  );
  return rows[0] as ApiTokenRow;
}

/** All tokens, the newest first. */
export async function listApiTokens(db: Queryable): Promise<ApiTokenRow[]> {
  const { rows } = await db.query<ApiTokenRow>(
    `select ${COLUMNS} from analytics.backfill_api_tokens order by token_id desc`,
  );
  return rows;
}

/** Revokes a token from now on; one that is revoked stays as it is. Undefined when there is none. */
export async function revokeApiToken(db: Queryable, tokenId: number): Promise<ApiTokenRow | undefined> {
  const { rows } = await db.query<ApiTokenRow>(
    `update analytics.backfill_api_tokens set revoked_at = coalesce(revoked_at, now())
      where token_id = $1 returning ${COLUMNS}`,
    [tokenId],
  );
  return rows[0];
}

/** Has a token end then. Undefined when there is none. */
export async function expireApiToken(db: Queryable, tokenId: number, at: Date): Promise<ApiTokenRow | undefined> {
  const { rows } = await db.query<ApiTokenRow>(
    `update analytics.backfill_api_tokens set expires_at = $2 where token_id = $1 returning ${COLUMNS}`,
    [tokenId, at],
  );
  return rows[0];
}
