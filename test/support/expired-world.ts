import { withTransaction } from '@backfill/core/db/transaction';
import type { Runtime } from '@backfill/core/runtime/runtime';
import { archiveLayout } from '@backfill/core/storage/layout';
import type { TestEnvironment } from './environment.ts';

/** A day that is past any retention of the examples' policy, and the one after it. */
export const OLD_DAY = { start: '2024-05-01T00:00:00Z', end: '2024-05-02T00:00:00Z' };
export const OLD_LEAF = 'events_log_20240501';

/** The id of the n-th event of the old day; as the importers make them, but for the hash. */
export const oldEventId = (n: number) => `app:20240501${String(n % 24).padStart(2, '0')}0000000:\\x${n}`;

export interface ExpiredBatch {
  batchId: string;
  status?: 'published' | 'rolled_back' | 'halted';
  events: readonly number[];
  exceptionUntil?: string;
  /** Whether they are stored; by default those of all but halted batches are, and live of published ones. */
  rowsLive?: boolean;
}

/**
 * Puts what a batch of years ago has left where it would be, without its journey: stored events, keys, lineage, accepted
 * lines, kept readings, a mirror, parts, samples, a snapshot and a report.
 */
export async function placeExpiredBatch(
  { sql, keys }: Pick<TestEnvironment, 'sql' | 'keys'>,
  { pool, store, config }: Pick<Runtime, 'pool' | 'store' | 'config'>,
  { batchId, status = 'published', events, exceptionUntil, rowsLive = status === 'published' }: ExpiredBatch,
): Promise<void> {
  const ids = events.map(oldEventId);
  const plan = { retentionException: exceptionUntil === undefined ? null : { why: 'audit', until: exceptionUntil } };
  const old = `'2024-06-01'::timestamptz`;
  await sql.query(`select analytics.ensure_event_day('2024-05-01')`);
  await withTransaction(pool, 'test', async (client) => {
    await client.query(
      `insert into analytics.backfill_batches
         (batch_id, source, reason, input, window_start, window_end, request, request_sha256, submitted_by)
       values ($1, 'app', 'outage', $2, $3, $4, '{}', '', 'test')`,
      [batchId, `s3://${config.storage.rawBucket}/${batchId}/`, OLD_DAY.start, OLD_DAY.end],
    );
    await client.query(`insert into analytics.backfill_plans values ($1, 1, 'plan', 'recipe', $2)`, [batchId, plan]);
    await client.query(
      `insert into analytics.backfill_freezes (batch_id, window_start, window_end, reason, lifted_at)
       values ($1, $2, $3, 'test', now())`,
      [batchId, OLD_DAY.start, OLD_DAY.end],
    );
    await client.query(
      `insert into analytics.backfill_files
         (batch_id, file_no, source_file, size, etag, last_modified, sha256, compression, line_count, mirrored_at, format,
          header, content_sha256)
       values ($1, 0, 'a.ndjson', 1, '', ${old}, '', 'none', 1, ${old}, 'ndjson', 'null', '')`,
      [batchId],
    );
    await client.query(
      `insert into analytics.backfill_recounts (batch_id, file_no, claimed_by, epoch, heartbeat_at, result, seal)
       values ($1, 0, gen_random_uuid(), 1, ${old}, 'r', 's')`,
      [batchId],
    );
    await client.query(
      `insert into analytics.backfill_publishes (batch_id, attempt, go_by, go_at, snapshot_at, outcome, ended_at)
       values ($1, 1, 'test', ${old}, ${old}, 'published', ${old})`,
      [batchId],
    );
    await client.query(
      `insert into analytics.events_log
         (event_id, source, event_name, schema_version, event_ts, payload, batch_id, deleted_at)
       select id, 'app', 'page_viewed', '1-0-0', to_timestamp(substr(id, 5, 17), 'YYYYMMDDHH24MISSMS'), '{}', $1::text,
              case when $3 then now() end
         from unnest($2::text[]) id where $4`,
      [batchId, ids, !rowsLive, rowsLive || status !== 'halted'],
    );
    for (const table of ['backfill_lineage', 'backfill_event_checkpoint_raw']) {
      await client.query(
        `insert into analytics.${table} (batch_id, event_id, source_file, line_no)
         select $1, id, 'a.ndjson', line from unnest($2::text[]) with ordinality as given (id, line)`,
        [batchId, ids],
      );
    }
    // As a journey of years ago would have left it.
    await client.query('alter table analytics.backfill_batches disable trigger user');
    await client.query(
      `update analytics.backfill_batches
          set status = $2, plan_hash = 'plan', rows_live = $3, created_at = ${old}, updated_at = ${old},
              completed_at = case when $2 = 'halted' then null else ${old} end
        where batch_id = $1`,
      [batchId, status, rowsLive],
    );
    await client.query('alter table analytics.backfill_batches enable trigger user');
  });
  if (status !== 'rolled_back') {
    await keys.query(
      `insert into analytics.backfill_event_checkpoint (event_id, batch_id) select unnest($1::text[]), $2`,
      [ids, batchId],
    );
  }
  for (const key of archiveKeys(batchId)) {
    await store.put(config.storage.archiveBucket, key, Buffer.from(key), 'text/plain');
  }
}

/** The objects of {@link placeExpiredBatch}: those that expire, and the report. */
export function archiveKeys(batchId: string): string[] {
  return [
    archiveLayout.mirrorObject(batchId, 'a.ndjson'),
    archiveLayout.manifest(batchId),
    archiveLayout.part(batchId, '0'.repeat(64)),
    archiveLayout.samples(batchId, '0'.repeat(64)),
    archiveLayout.snapshot(batchId, '1-x.ndjson.gz'),
    archiveLayout.report(batchId, 'report.json'),
  ];
}

/** A live event of a time. */
export async function placeLiveEvent(
  { sql }: Pick<TestEnvironment, 'sql'>,
  eventId: string,
  at: string,
): Promise<void> {
  await sql.query(
    `insert into analytics.events_log (event_id, source, event_name, schema_version, event_ts, payload)
     values ($1, 'app', 'page_viewed', '1-0-0', $2, '{}')`,
    [eventId, at],
  );
}

/** The keys of all objects of the archive, in order. */
export async function listArchive({ store, config }: Pick<Runtime, 'store' | 'config'>): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(config.storage.archiveBucket, '')) {
    if (!key.startsWith('audit/')) keys.push(key);
  }
  return keys;
}

export interface Left {
  events: string[];
  keys: string[];
  lineage: number;
  lines: number;
  readings: number;
}

/** What is left of each kind. */
export async function readLeft({ sql, keys }: Pick<TestEnvironment, 'sql' | 'keys'>): Promise<Left> {
  const ids = async (pool: TestEnvironment['sql'], table: string) => {
    const { rows } = await pool.query<{ event_id: string }>(`select event_id from analytics.${table} order by 1`);
    return rows.map(({ event_id }) => event_id);
  };
  const { rows } = await sql.query<Omit<Left, 'events' | 'keys'>>(
    `select (select count(*)::int from analytics.backfill_lineage) as lineage,
            (select count(*)::int from analytics.backfill_event_checkpoint_raw) as lines,
            (select count(*)::int from analytics.backfill_recounts) as readings`,
  );
  if (rows[0] === undefined) throw new Error('no counts');
  return { events: await ids(sql, 'events_log'), keys: await ids(keys, 'backfill_event_checkpoint'), ...rows[0] };
}

/** The receipts, in their order: what, how much, and whether it is complete. */
export async function readReceipts({ sql }: Pick<TestEnvironment, 'sql'>): Promise<string[]> {
  const { rows } = await sql.query<{ receipt: string }>(
    `select kind || ' ' || regexp_replace(what, '^s3://[^/]+/|^analytics\\.', '') || ': ' || rows || ' rows, ' || objects
            || ' objects' || case when completed_at is null then ', open' else '' end as receipt
       from analytics.backfill_deletions order by deletion_id`,
  );
  return rows.map(({ receipt }) => receipt);
}
