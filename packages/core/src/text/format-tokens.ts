import { formatTable, type TableColumn } from './format-table.ts';

/** A token as it is listed: never the token itself. */
interface ListedToken {
  token_id: number;
  actor: string;
  roles: readonly string[];
  created_at: Date;
  expires_at: Date | null;
  revoked_at: Date | null;
  is_valid: boolean;
}

const COLUMNS: readonly TableColumn[] = [
  { heading: 'id', align: 'right' },
  ...['actor', 'roles', 'state', 'created', 'expires'].map((heading) => ({ heading, align: 'left' as const })),
];

function stateOf({ is_valid, revoked_at }: ListedToken): string {
  if (revoked_at !== null) return 'revoked';
  return is_valid ? 'valid' : 'expired';
}

const day = (at: Date | null) => at?.toISOString().slice(0, 16).replace('T', ' ') ?? 'never';

/** Tokens as a table, times in UTC. */
export function formatTokens(tokens: readonly ListedToken[]): string[] {
  if (tokens.length === 0) return ['There are no tokens.'];
  return formatTable(
    COLUMNS,
    tokens.map((token) => [
      String(token.token_id),
      token.actor,
      token.roles.join(','),
      stateOf(token),
      day(token.created_at),
      day(token.expires_at),
    ]),
  );
}
