import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import { createBuckets } from './buckets.ts';
import { TEMPLATE_DATABASE } from './servers.ts';

/** The environment of a service under test, with a database, buckets and a queue prefix of its own. */
export interface TestEnvironment {
  env: Record<string, string>;
  /** Runs SQL in the test's database. */
  sql: pg.Pool;
  /** Runs SQL in the database of the dedup store: the same pool where it has none of its own. */
  keys: pg.Pool;
  dispose(): Promise<void>;
}

/** Where the dedup store is: with the events, or in a database of its own. Names the cases of tests. */
export type KeyLayout = 'with the events' | 'in a database of its own';
export const KEY_LAYOUTS: readonly KeyLayout[] = ['with the events', 'in a database of its own'];

/** Copies the template database and makes buckets; all of it is the test's alone. */
export async function createTestEnvironment(layout: KeyLayout = 'with the events'): Promise<TestEnvironment> {
  const servers = inject('servers');
  const name = `t${randomBytes(6).toString('hex')}`;
  const admin = new pg.Client({ connectionString: servers.DATABASE_URL });
  await admin.connect();
  await admin.query(`create database ${name} template ${TEMPLATE_DATABASE}`);
  const isSeparate = layout === 'in a database of its own';
  if (isSeparate) await admin.query(`create database ${name}keys`);
  await admin.end();
  const url = new URL(servers.DATABASE_URL ?? '');
  url.pathname = `/${name}`;
  const keysUrl = new URL(url);
  keysUrl.pathname = `/${name}keys`;
  const buckets = { BACKFILL_RAW_BUCKET: `raw-${name}`, BACKFILL_ARCHIVE_BUCKET: `archive-${name}` };
  await createBuckets(servers, Object.values(buckets));
  const sql = new pg.Pool({ connectionString: url.href, max: 3 });
  // Two databases are never the same one, copies or not.
  await sql.query('update analytics.backfill_key_store set events_id = gen_random_uuid()');
  const keys = isSeparate ? new pg.Pool({ connectionString: keysUrl.href, max: 3 }) : sql;
  return {
    env: {
      ...servers,
      ...buckets,
      DATABASE_URL: url.href,
      ...(isSeparate && { CHECKPOINT_DATABASE_URL: keysUrl.href }),
      BACKFILL_QUEUE_PREFIX: name,
      LOG_LEVEL: process.env.TEST_LOG_LEVEL ?? 'silent',
    },
    sql,
    keys,
    async dispose() {
      await sql.end();
      if (isSeparate) await keys.end();
    },
  };
}
