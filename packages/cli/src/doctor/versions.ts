import { getServerSettings } from '@backfill/core/db/queries/server-settings';
import type { Finding } from '@backfill/core/domain/finding';
import { readServerInfo } from '@backfill/core/queue/read-server';
import type { Check } from './check.ts';

/** Runs TypeScript as it is, and reads zstd. */
const NODE = 24;
/** What the software is tested with. */
const POSTGRESQL = 18;
/** Of the dedup store's own database, which needs much less. */
const KEY_POSTGRESQL = 14;
const REDIS = 7;

/** Versions as the programs give them: `24.21.0`, `180004`, `7.0.15`. */
export interface Versions {
  node: string;
  postgresql: number;
  /** Where the dedup store has a server of its own. */
  keyPostgresql?: number | undefined;
  redis: string;
}

function finding(subject: string, found: string, least: number, remedy: string): Finding {
  return { subject, problem: `it is version ${found}, and ${least} is the oldest that will do`, remedy };
}

/** Programs that are too old. Pure. */
export function versionFindings({ node, postgresql, keyPostgresql = Infinity, redis }: Versions): Finding[] {
  const major = (version: string): number => Number.parseInt(version, 10);
  // 180004 is 18.4.
  const serverMajor = (version: number): number => Math.floor(version / 10_000);
  const upgrade = (what: string, to: number): string => `upgrade it to ${what} ${to} or newer`;
  return [
    ...(major(node) < NODE
      ? [finding('Node', node, NODE, './backfill and npm start bring their own; start services by them')]
      : []),
    ...(serverMajor(postgresql) < POSTGRESQL
      ? [finding('DATABASE_URL', String(serverMajor(postgresql)), POSTGRESQL, upgrade('PostgreSQL', POSTGRESQL))]
      : []),
    ...(serverMajor(keyPostgresql) < KEY_POSTGRESQL
      ? [
          finding(
            'CHECKPOINT_DATABASE_URL',
            String(serverMajor(keyPostgresql)),
            KEY_POSTGRESQL,
            upgrade('PostgreSQL', KEY_POSTGRESQL),
          ),
        ]
      : []),
    ...(major(redis) < REDIS ? [finding('REDIS_URL', redis, REDIS, upgrade('Redis or Valkey', REDIS))] : []),
  ];
}

export const versions: Check = {
  name: 'versions',
  needs: ['database', 'redis'],
  async find({ pool, keyStore, redis }) {
    const { version } = await getServerSettings(pool);
    const { redis_version = '0' } = await readServerInfo(redis);
    return versionFindings({
      node: process.versions.node,
      postgresql: version,
      keyPostgresql: keyStore.isSeparate ? (await getServerSettings(keyStore.pool)).version : undefined,
      redis: redis_version,
    });
  },
};
