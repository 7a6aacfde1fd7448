import { randomUUID } from 'node:crypto';
import { pipeline, Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { crashPoint } from '@backfill/core/crash-point';
import type { Client } from '@backfill/core/db/pool';
import { checkBatchFence, enterBatchFence } from '@backfill/core/db/queries/batch-fence';
import { notePublishSnapshot, type StoredSnapshot } from '@backfill/core/db/queries/publish-steps';
import { readRows } from '@backfill/core/db/read-rows';
import { withTransaction } from '@backfill/core/db/transaction';
import { withStrays } from '@backfill/core/erasure/with-strays';
import { BackfillError, StaleWorkError } from '@backfill/core/errors';
import { type HashedStream, hashedStream } from '@backfill/core/storage/hashed-stream';
import { archiveLayout } from '@backfill/core/storage/layout';
import { ACTOR, type PublishWork } from './publish-work.ts';

const BLOCK_ROWS = 1_000;
/** How long the read may wait for the archive to take what it has read. Whoever halts the batch ends it all the same. */
const IDLE_TIMEOUT = '10min';
/** Most of the time goes into the reading; a higher level would only add to it. */
const GZIP_LEVEL = 1;

// The payload stands there as it is stored, byte for byte: an event id is the hash of it.
const LIVE_ROWS_SQL = `
  select json_build_object(
           'event_id', l.event_id, 'source', l.source, 'event_name', l.event_name, 'schema_version', l.schema_version,
           'event_ts', to_char(l.event_ts at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
           'session_id', l.session_id, 'subject_id', l.subject_id, 'payload', l.payload, 'batch_id', l.batch_id,
           'ingested_at', to_char(l.ingested_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))::text as line
    from analytics.events_log l
   where l.source = $1 and l.event_ts >= $2 and l.event_ts < $3 and l.deleted_at is null`;

interface LiveRows {
  stream: HashedStream;
  rows(): number;
}

/** The live rows of the batch's source and window as gzip of NDJSON, in bounded memory. */
function readLiveRows(client: Client, { plan, signal }: PublishWork): LiveRows {
  const { source, window } = plan.recipe;
  // The window as constants: it says in which days PostgreSQL looks.
  const values = [source.source, new Date(window.startMs), new Date(window.endMs)];
  let count = 0;
  async function* lines(): AsyncGenerator<Buffer> {
    for await (const rows of readRows<{ line: string }>(client, LIVE_ROWS_SQL, values, BLOCK_ROWS)) {
      count += rows.length;
      yield Buffer.from(rows.map(({ line }) => `${line}\n`).join(''));
    }
  }
  const packed = pipeline(Readable.from(lines()), createGzip({ level: GZIP_LEVEL }), () => undefined);
  return { stream: hashedStream(packed, signal), rows: () => count };
}

async function upload(work: PublishWork, client: Client, key: string): Promise<Omit<StoredSnapshot, 'path'>> {
  const { runtime, signal } = work;
  await client.query(`select set_config('idle_in_transaction_session_timeout', '${IDLE_TIMEOUT}', true)`);
  const { rows: marks } = await client.query<{ mark: string }>('select pg_current_snapshot()::text as mark');
  const { stream, rows } = readLiveRows(client, work);
  try {
    await runtime.store.putStream(runtime.config.storage.archiveBucket, key, stream.stream, signal);
  } finally {
    stream.stream.destroy();
  }
  return { sha256: stream.sha256(), bytes: stream.size(), rows: rows(), mark: marks[0]?.mark ?? '' };
}

/** @throws {BackfillError} when what the archive holds is not what was sent. */
async function checkContent({ runtime, signal }: PublishWork, key: string, sent: { sha256: string; bytes: number }) {
  const { archiveBucket } = runtime.config.storage;
  const stored = hashedStream(await runtime.store.get(archiveBucket, key, { size: sent.bytes, signal }), signal);
  stored.stream.resume();
  await finished(stored.stream);
  if (stored.sha256() === sent.sha256 && stored.size() === sent.bytes) return;
  throw new BackfillError(`the snapshot s3://${archiveBucket}/${key} is not what was written there`);
}

/** What says of a snapshot what it is, also where the database is lost. */
async function describe({ runtime, batchId, plan, publish }: PublishWork, key: string, snapshot: StoredSnapshot) {
  const { path, ...stored } = snapshot;
  const { window, source } = plan.recipe;
  const text = JSON.stringify({
    version: 1,
    batch_id: batchId,
    attempt: publish.attempt,
    source: source.source,
    window: { start: new Date(window.startMs).toISOString(), end: new Date(window.endMs).toISOString() },
    format: 'ndjson.gz',
    path,
    ...stored,
  });
  const { archiveBucket } = runtime.config.storage;
  await runtime.store.put(archiveBucket, `${key}.json`, Buffer.from(`${text}\n`), 'application/json');
}

/**
 * Stores what is live in the window before anything is published, what the batch replaces too, and notes it. Each try has
 * an object of its own, so that a zombie cannot write over the one that was noted.
 */
export async function snapshotWindow(work: PublishWork): Promise<void> {
  await withStrays(work.runtime.pool, work.batchId, () => storeSnapshot(work));
}

async function storeSnapshot(work: PublishWork): Promise<void> {
  const { runtime, batchId, publish, fence } = work;
  const key = archiveLayout.snapshot(batchId, `${publish.publish_id}-${randomUUID().slice(0, 8)}.ndjson.gz`);
  const stored = await work.read((client) => upload(work, client, key));
  crashPoint('publish:snapshot-stored');
  await checkContent(work, key, stored);
  const snapshot = { path: `s3://${runtime.config.storage.archiveBucket}/${key}`, ...stored };
  await describe(work, key, snapshot);
  await withTransaction(runtime.pool, ACTOR, async (client) => {
    await enterBatchFence(client, batchId, fence.statuses, fence.epoch);
    if (!(await notePublishSnapshot(client, publish.publish_id, snapshot))) {
      throw new StaleWorkError(`the snapshot of batch ${batchId} was noted by another process`);
    }
    await checkBatchFence(client, fence);
  });
  crashPoint('publish:snapshot-noted');
}
