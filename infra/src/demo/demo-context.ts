import { type ApiClient, createApiClient } from '@backfill/core/client/api-client';
import { createPool, type Pool } from '@backfill/core/db/pool';
import { createObjectStore, type ObjectStore } from '@backfill/core/storage/object-store';
import type { TextOutput } from '@backfill/core/text/live-block';
import { DemoError } from './demo-error.ts';

/** Everything the demo works with: the parts of a running stack, and a place to print. */
export interface DemoContext {
  /** The API on behalf of one role; every role's token is another actor's. */
  api(role: string): ApiClient;
  pool: Pool;
  store: ObjectStore;
  rawBucket: string;
  archiveBucket: string;
  configDir: string;
  saltFile: string;
  out: TextOutput;
  say(...lines: string[]): void;
  signal: AbortSignal;
  close(): Promise<void>;
}

/**
 * Takes addresses and tokens from the env file of a running stack. Opens no connection yet.
 *
 * @throws {DemoError} naming a value that the env file lacks.
 */
export function createDemoContext(
  env: Readonly<Record<string, string>>,
  out: TextOutput,
  signal: AbortSignal,
): DemoContext {
  const get = (name: string): string => {
    const value = env[name];
    if (value === undefined) throw new DemoError(`The env file of the stack has no ${name}.`);
    return value;
  };
  const rawBucket = get('BACKFILL_RAW_BUCKET');
  const archiveBucket = get('BACKFILL_ARCHIVE_BUCKET');
  const store = createObjectStore({
    endpoint: get('S3_ENDPOINT'),
    region: get('S3_REGION'),
    accessKeyId: get('AWS_ACCESS_KEY_ID'),
    secretAccessKey: get('AWS_SECRET_ACCESS_KEY'),
    rawBucket,
    archiveBucket,
  });
  const say = (...lines: string[]): void => {
    out.write(lines.map((line) => `${line}\n`).join(''));
  };
  const pool = createPool({
    connectionString: get('DATABASE_URL'),
    applicationName: 'demo',
    max: 1,
    onIdleError: (error) => say(`lost the connection to PostgreSQL: ${error.message}`),
  });
  return {
    api: (role) =>
      createApiClient({
        baseUrl: get('BACKFILL_API_URL'),
        token: get(`BACKFILL_TOKEN_${role.toUpperCase()}`),
        signal,
      }),
    pool,
    store,
    rawBucket,
    archiveBucket,
    configDir: get('BACKFILL_CONFIG_DIR'),
    saltFile: get('ANALYTICS_SALT_FILE'),
    out,
    say,
    signal,
    async close() {
      store.close();
      await pool.end();
    },
  };
}
