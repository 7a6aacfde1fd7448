import { CONTRACTS } from '@backfill/core/contracts/contracts';
import { AUDIT_HEADS } from '@backfill/core/storage/layout';
import { createObjectStore } from '@backfill/core/storage/object-store';
import { Redis } from 'ioredis';
import type { HaltWorld } from './halt-world.ts';

/** Everything that a batch, the only one of its database, has left so far. Equal at two moments: nothing was written. */
export interface Footprint {
  /** Table → its file, rows, and the sum of the transactions that wrote them. */
  tables: Record<string, string>;
  /** Key → size and time of writing. */
  objects: Record<string, string>;
}

/**
 * Without the audit log, whose entries are sealed some time after what they tell of, and without the runs of retention, which
 * come round by the clock.
 */
const TABLES_SQL = `
  select c.oid::regclass::text as name, c.relfilenode::text as file from pg_class c
   where c.relnamespace = 'analytics'::regnamespace and c.relkind = 'r' and c.relname !~ '^backfill_(audit|retention)_' order by 1`;

/** Reads all tables and the archive whole, but for the audit log and its heads. A row that was added, changed or taken away shows. */
export async function takeFootprint({ sql, env }: HaltWorld): Promise<Footprint> {
  const tables: Footprint['tables'] = {};
  const { rows: names } = await sql.query<{ name: string; file: string }>(TABLES_SQL);
  for (const { name, file } of names) {
    const { rows } = await sql.query(`select count(*), sum(xmin::text::bigint) from ${name}`);
    tables[name] = JSON.stringify([file, rows[0]]);
  }
  return { tables, objects: await listObjects(env) };
}

async function listObjects(env: HaltWorld['env']): Promise<Record<string, string>> {
  const bucket = env.BACKFILL_ARCHIVE_BUCKET ?? '';
  const store = createObjectStore({
    endpoint: env.S3_ENDPOINT ?? '',
    region: env.S3_REGION ?? '',
    accessKeyId: env.AWS_ACCESS_KEY_ID ?? '',
    secretAccessKey: env.AWS_SECRET_ACCESS_KEY ?? '',
    rawBucket: env.BACKFILL_RAW_BUCKET ?? '',
    archiveBucket: bucket,
  });
  const objects: Record<string, string> = {};
  for await (const { key, size, lastModified } of store.list(bucket, '')) {
    if (!key.startsWith(AUDIT_HEADS)) objects[key] = `${size} ${lastModified.toISOString()}`;
  }
  store.close();
  return objects;
}

/** What differs between two footprints. */
export function changesBetween(before: Footprint, after: Footprint): string[] {
  const changes: string[] = [];
  for (const part of ['tables', 'objects'] as const) {
    for (const name of new Set([...Object.keys(before[part]), ...Object.keys(after[part])])) {
      if (before[part][name] === after[part][name]) continue;
      changes.push(`${name}: ${before[part][name] ?? 'not there'} became ${after[part][name] ?? 'not there'}`);
    }
  }
  return changes;
}

/** When the last transaction committed whose rows are still there, in ms after that of the halt. */
export async function lastCommitMs({ sql }: HaltWorld): Promise<number> {
  const { rows: names } = await sql.query<{ name: string }>(TABLES_SQL);
  let last = 0;
  for (const { name } of names) {
    const { rows } = await sql.query<{ ms: number | null }>(
      `select extract(epoch from max(pg_xact_commit_timestamp(w.xid)) -
                (select pg_xact_commit_timestamp(xmin) from analytics.backfill_batches))::float8
              * 1000 as ms
         from (select distinct xmin as xid from ${name}) w`,
    );
    last = Math.max(last, rows[0]?.ms ?? 0);
  }
  return last;
}

/** Transactions of services that began before the halt, and jobs that a worker is at. */
export async function listWork({ sql, env }: HaltWorld, haltedAt: Date): Promise<string[]> {
  const { rows } = await sql.query<{ work: string }>(
    `select application_name || ', ' || state || ' for ' || (clock_timestamp() - xact_start)::text || ': ' ||
            regexp_replace(left(query, 80), '\\s+', ' ', 'g') as work
       from pg_stat_activity
      where datname = current_database() and application_name like 'backfill-%' and xact_start < $1`,
    [haltedAt],
  );
  const redis = new Redis(env.REDIS_URL ?? '');
  const jobs: string[] = [];
  for (const queue of Object.keys(CONTRACTS)) {
    jobs.push(...(await redis.lrange(`${env.BACKFILL_QUEUE_PREFIX}:${queue}:active`, 0, -1)));
  }
  redis.disconnect();
  return [...rows.map(({ work }) => work), ...jobs.map((job) => `job ${job}`)];
}
