import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import { createObjectStore, type GetOptions, type ObjectStore } from '@backfill/core/storage/object-store';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestEnvironment, type TestEnvironment } from '../support/environment.ts';
import { type LyingS3, startLyingS3 } from '../support/lying-s3.ts';

// Between us and the object store stands something that ends answers early, in good order and without a word.
const BODY = randomBytes(300_000);
let environment: TestEnvironment;
let s3: LyingS3;
let store: ObjectStore;
let bucket: string;

beforeAll(async () => {
  environment = await createTestEnvironment();
  s3 = await startLyingS3(environment.env.S3_ENDPOINT ?? '');
  const { env } = environment;
  bucket = env.BACKFILL_RAW_BUCKET ?? '';
  store = createObjectStore({
    endpoint: s3.endpoint,
    region: env.S3_REGION ?? '',
    accessKeyId: env.AWS_ACCESS_KEY_ID ?? '',
    secretAccessKey: env.AWS_SECRET_ACCESS_KEY ?? '',
    rawBucket: bucket,
    archiveBucket: env.BACKFILL_ARCHIVE_BUCKET ?? '',
  });
  for (const name of ['a', 'b', 'c']) await store.put(bucket, `files/${name}`, BODY, 'text/plain');
});
afterAll(async () => {
  store.close();
  await s3.close();
  await environment.dispose();
});

async function read(options?: GetOptions): Promise<Buffer> {
  const body: Readable = await store.get(bucket, 'files/a', options);
  return Buffer.concat(await body.toArray());
}

it.each<[string, GetOptions | undefined]>([
  ['an object', undefined],
  ['an object of known size', { size: BODY.length }],
  ['a range', { range: { start: 10, end: 250_000 } }],
])('notices that %s is not whole', async (_what, options) => {
  s3.lie = ({ method }) => (method === 'GET' ? { endAfterBytes: 200_000 } : undefined);
  await expect(read(options)).rejects.toThrow("the object store's answer was over after 200000 bytes");
  s3.lie = () => undefined;
  const { start, end } = options?.range ?? { start: 0, end: BODY.length };
  expect(await read(options)).toEqual(BODY.subarray(start, end));
});

it('leaves it to checksums to tell that the object is another one than the caller knows', async () => {
  expect(await read({ size: BODY.length + 1 })).toEqual(BODY);
});

it.each([0, 650])('does not take %s bytes of a listing for the whole', async (endAfterBytes) => {
  const list = async () => {
    for await (const { key } of store.list(bucket, 'files/')) expect(key).toBeUndefined();
  };
  s3.lie = ({ key }) => (key === '' ? { endAfterBytes } : undefined);
  await expect(list()).rejects.toThrow(/without content|parse error/);
  s3.lie = () => undefined;
});
