import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { isDependencyUnavailable } from '@backfill/core/errors';
import type { ObjectStore } from '@backfill/core/storage/object-store';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { accessLog } from '../support/access-log.ts';
import { type LyingS3, startLyingS3 } from '../support/lying-s3.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';
import { runBatch } from '../support/run-batch.ts';
import { waitFor } from '../support/wait-for.ts';

// An object store that takes every request and answers none.
const BODY = randomBytes(3_000_000);
let s3: LyingS3;
let pipeline: Pipeline;
let store: ObjectStore;
let bucket: string;
beforeAll(async () => {
  s3 = await startLyingS3(inject('servers').S3_ENDPOINT ?? '');
  pipeline = await startPipeline({ env: { S3_ENDPOINT: s3.endpoint, BACKFILL_S3_TIMEOUT_MS: '2000' } });
  store = pipeline.runtime.store;
  bucket = pipeline.runtime.config.storage.rawBucket;
  await store.put(bucket, 'silent/a', BODY, 'text/plain');
}, 60_000);
afterEach(() => {
  s3.lie = () => undefined;
});
afterAll(async () => {
  await pipeline?.dispose();
  await s3.close();
});

const sha256 = '0'.repeat(64);
const requests: [string, (signal?: AbortSignal) => Promise<unknown>][] = [
  ['put', (signal) => store.put(bucket, 'silent/put', BODY, 'text/plain', signal)],
  ['exists', (signal) => store.exists(bucket, 'silent/a', signal)],
  ['get', (signal) => store.get(bucket, 'silent/a', signal && { signal })],
  [
    'putBlocks',
    (signal) =>
      store.putBlocks(
        bucket,
        'silent/blocks',
        { blocks: [BODY], size: BODY.length, sha256, contentType: 'text/plain' },
        signal,
      ),
  ],
  ['putStream', (signal) => store.putStream(bucket, 'silent/stream', Readable.from([BODY]), signal)],
];

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error;
  }
  throw new Error('it has not failed');
}

describe('gives up', () => {
  it('every kind of request, as when the store is away', async () => {
    s3.lie = ({ bucket: asked }) => (asked === bucket ? { isSilent: true } : undefined);
    const list = async () => {
      for await (const { key } of store.list(bucket, 'silent/')) expect(key).toBeUndefined();
    };
    const failures = await Promise.all(
      [...requests.map(([, request]) => request()), list(), store.checkBucket(bucket)].map(failureOf),
    );
    expect(failures.map(isDependencyUnavailable)).toEqual(failures.map(() => true));
  });

  it('in the middle of an object', async () => {
    s3.lie = () => ({ onAnswered: (bytes) => (bytes > 1_000_000 ? new Promise(() => undefined) : undefined) });
    const failure = await failureOf((await store.get(bucket, 'silent/a')).toArray());
    expect(isDependencyUnavailable(failure)).toBe(true);
  });

  it.each(requests)('%s at once when it is told to', async (_what, request) => {
    s3.lie = () => ({ isSilent: true });
    const stop = new AbortController();
    const before = s3.requests.length;
    const failure = failureOf(request(stop.signal));
    await waitFor('the request', async () => (s3.requests.length > before ? true : undefined));
    stop.abort();
    expect(await failure).toMatchObject({ name: 'AbortError' });
  });
});

it('waits for the store without keeping a claim, and goes on when it answers again', async () => {
  await runBatch(pipeline, 'claimed', { 'a.log': accessLog(0, 200) });
  await pipeline.sql.query(`delete from analytics.backfill_recounts where batch_id = 'claimed'`);
  // What was asked while it was silent is never answered.
  s3.lie = ({ method, key }) => (method === 'GET' && key.startsWith('raw/claimed/') ? { isSilent: true } : undefined);
  await pipeline.change('claimed', 'awaiting_publish_approval', 'verifying');
  const claims = async () =>
    (await pipeline.sql.query(`select 1 from analytics.backfill_recounts where batch_id = 'claimed'`)).rowCount;
  await waitFor('a claim', async () => ((await claims()) === 1 ? true : undefined));
  await waitFor('it to be given back', async () => ((await claims()) === 0 ? true : undefined));
  s3.lie = () => undefined;
  expect((await pipeline.rest('claimed')).status).toBe('awaiting_publish_approval');
});
