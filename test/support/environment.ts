import { randomBytes } from 'node:crypto';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import pg from 'pg';
import { inject } from 'vitest';
import { TEMPLATE_DATABASE } from './servers.ts';

/** The environment of a service under test, with a database, buckets and a queue prefix of its own. */
export interface TestEnvironment {
  env: Record<string, string>;
  /** Runs SQL in the test's database. */
  sql: pg.Pool;
  dispose(): Promise<void>;
}

async function createBuckets(servers: Record<string, string>, buckets: string[]): Promise<void> {
  const client = new S3Client({
    endpoint: servers.S3_ENDPOINT ?? '',
    region: servers.S3_REGION ?? '',
    credentials: {
      accessKeyId: servers.AWS_ACCESS_KEY_ID ?? '',
      secretAccessKey: servers.AWS_SECRET_ACCESS_KEY ?? '',
    },
    forcePathStyle: true,
  });
  for (const Bucket of buckets) await client.send(new CreateBucketCommand({ Bucket }));
  client.destroy();
}

/** Copies the template database and makes buckets; all of it is the test's alone. */
export async function createTestEnvironment(): Promise<TestEnvironment> {
  const servers = inject('servers');
  const name = `t${randomBytes(6).toString('hex')}`;
  const admin = new pg.Client({ connectionString: servers.DATABASE_URL });
  await admin.connect();
  await admin.query(`create database ${name} template ${TEMPLATE_DATABASE}`);
  await admin.end();
  const url = new URL(servers.DATABASE_URL ?? '');
  url.pathname = `/${name}`;
  const buckets = { BACKFILL_RAW_BUCKET: `raw-${name}`, BACKFILL_ARCHIVE_BUCKET: `archive-${name}` };
  await createBuckets(servers, Object.values(buckets));
  const sql = new pg.Pool({ connectionString: url.href, max: 3 });
  return {
    env: {
      ...servers,
      ...buckets,
      DATABASE_URL: url.href,
      BACKFILL_QUEUE_PREFIX: name,
      LOG_LEVEL: process.env.TEST_LOG_LEVEL ?? 'silent',
    },
    sql,
    dispose: () => sql.end(),
  };
}
