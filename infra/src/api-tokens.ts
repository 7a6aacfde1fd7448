import { createHash } from 'node:crypto';
import { ROLES, type Role } from '@backfill/core/domain/approvals';
import pg from 'pg';

/** The name of the variable that holds the token of a role. */
export function tokenVariable(role: Role): string {
  return `BACKFILL_TOKEN_${role.toUpperCase()}`;
}

/**
 * Makes the tokens known to the API, each for an actor of its own (`demo-submitter`). Only their
 * hashes are stored. A token that was revoked stays revoked.
 */
export async function registerTokens(databaseUrl: string, tokens: Record<Role, string>): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    for (const role of ROLES) {
      const hash = createHash('sha256').update(tokens[role]).digest('hex');
      await client.query(
        `insert into analytics.backfill_api_tokens (token_sha256, actor, roles)
         values ($1, $2, $3) on conflict (token_sha256) do nothing`,
        [hash, `demo-${role.replaceAll('_', '-')}`, [role]],
      );
    }
  } finally {
    await client.end();
  }
}
