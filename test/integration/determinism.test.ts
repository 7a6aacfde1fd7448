import { readFile } from 'node:fs/promises';
import { createPool } from '@backfill/core/db/pool';
import { createKeyRing } from '@backfill/core/recipe/key-ring';
import type { ObjectInfo } from '@backfill/core/storage/object-store';
import { eventLine } from '@backfill/core/transform/event-line';
import { transformInput } from '@backfill/core/transform/transform-input';
import { expect, it } from 'vitest';
import { APP_WINDOW, appLogs } from '../support/app-logs.ts';
import { batchDigest } from '../support/digest.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';

const FEW = appLogs(30);
const MANY = appLogs(400);
const KIB = 1024;
const WHOLE = String(64 * KIB * KIB);

/** What a batch of the logs leaves in the tables, and how many chunks it was cut into. */
async function run(logs: Record<string, Buffer>, options: Parameters<typeof startPipeline>[0]) {
  const pipeline = await startPipeline(options);
  try {
    await pipeline.upload('b', logs);
    await pipeline.submit({ batchId: 'b', source: 'app', window: APP_WINDOW });
    await pipeline.rest('b', ['awaiting_publish_approval', 'gates_failed']);
    const { rows } = await pipeline.sql.query<{ chunks: number }>(
      'select count(*)::int as chunks from analytics.backfill_raw_chunks',
    );
    return { digest: await batchDigest(pipeline.sql, 'b'), chunks: rows[0]?.chunks };
  } finally {
    await pipeline.dispose();
  }
}

it('makes the same events of chunks of 64 MiB and of 64 KiB, in parts of any size', async () => {
  const whole = await run(MANY, { env: { TRANSFORMER_CHUNK_BYTES: WHOLE } });
  expect(whole.chunks).toBe(2);
  expect(whole.digest.staging).toEqual([expect.any(Number), expect.any(String)]);
  const cut = await run(MANY, { env: { TRANSFORMER_CHUNK_BYTES: String(64 * KIB), TRANSFORMER_PART_LINES: '37' } });
  expect(cut.chunks).toBeGreaterThan(2);
  expect(cut.digest).toEqual(whole.digest);
}, 180_000);

it('makes the same events of one line at a time with four workers', async () => {
  const whole = await run(FEW, { env: { TRANSFORMER_CHUNK_BYTES: WHOLE } });
  const env = { TRANSFORMER_CHUNK_BYTES: '1', TRANSFORMER_CONCURRENCY: '4' };
  const byLine = await run(FEW, { importers: 4, env });
  const lines = (FEW['a.ndjson'] ?? '').toString('utf8').split('\n').length - 1;
  // The compressed file is one chunk.
  expect(byLine.chunks).toBe(lines + 1);
  expect(byLine.digest).toEqual(whole.digest);
}, 180_000);

async function transformed(pipeline: Pipeline, inListing: (objects: ObjectInfo[]) => ObjectInfo[]): Promise<string> {
  const { config, store } = pipeline.runtime;
  const pool = createPool({
    connectionString: config.databaseUrl,
    applicationName: 'test',
    max: 1,
    onIdleError: () => undefined,
  });
  const salt = await readFile(pipeline.env.ANALYTICS_SALT_FILE ?? '', 'utf8');
  const lines: string[] = [];
  const db = await pool.connect();
  try {
    await transformInput(
      {
        db,
        keyDb: db,
        store: {
          ...store,
          async *list(bucket, prefix) {
            const objects: ObjectInfo[] = [];
            for await (const object of store.list(bucket, prefix)) objects.push(object);
            yield* inListing(objects);
          },
        },
        storage: config.storage,
        configDir: config.configDir,
        keys: createKeyRing(new Map([[1, Buffer.from(salt.trim())]])),
        signal: new AbortController().signal,
      },
      {
        input: `s3://${config.storage.rawBucket}/b/`,
        source: 'app',
        window: { startMs: Date.parse(APP_WINDOW.start), endMs: Date.parse(APP_WINDOW.end) },
        request: {},
      },
      { add: (event, origin) => lines.push(eventLine(event, origin)), flush: async () => undefined },
    );
  } finally {
    db.release(true);
    await pool.end();
  }
  return lines.join('');
}

it('does not depend on the order of a listing', async () => {
  const pipeline = await startPipeline();
  try {
    await pipeline.upload('b', { ...FEW, 'Z.ndjson': FEW['a.ndjson'] ?? '', '10.ndjson': FEW['a.ndjson'] ?? '' });
    const inOrder = await transformed(pipeline, (objects) => objects);
    expect(inOrder.length).toBeGreaterThan(10_000);
    expect(await transformed(pipeline, (objects) => objects.toReversed())).toBe(inOrder);
    expect(await transformed(pipeline, (objects) => [...objects.slice(1), ...objects.slice(0, 1)])).toBe(inOrder);
  } finally {
    await pipeline.dispose();
  }
});
