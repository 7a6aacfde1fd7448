import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  PutObjectCommand,
  paginateListObjectsV2,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { createObjectStore } from '@backfill/core/storage/object-store';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { createTestEnvironment, type TestEnvironment } from '../support/environment.ts';

let test: TestEnvironment;
let client: S3Client;
let Bucket: string;

// The SDK as anybody outside would configure it, default checksums included.
function connect(accessKeyId: string): S3Client {
  const { S3_ENDPOINT = '', S3_REGION = '', AWS_SECRET_ACCESS_KEY = '' } = inject('servers');
  return new S3Client({
    endpoint: S3_ENDPOINT,
    region: S3_REGION,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey: AWS_SECRET_ACCESS_KEY },
  });
}

beforeAll(async () => {
  test = await createTestEnvironment();
  client = connect(inject('servers').AWS_ACCESS_KEY_ID ?? '');
  Bucket = test.env.BACKFILL_RAW_BUCKET ?? '';
});

afterAll(async () => {
  client.destroy();
  await test.dispose();
});

async function read(Key: string, options: { Range?: string; IfMatch?: string } = {}): Promise<string> {
  const answer = await client.send(new GetObjectCommand({ Bucket, Key, ...options }));
  return (await answer.Body?.transformToString()) ?? '';
}

/** Sends half of what it announces and hangs up when the server has begun to read it. */
async function breakOff(Key: string): Promise<void> {
  const { S3_ENDPOINT = '', AWS_ACCESS_KEY_ID } = inject('servers');
  const upload = request(`${S3_ENDPOINT}/${Bucket}/${Key}`, {
    method: 'PUT',
    headers: {
      Authorization: `AWS4-HMAC-SHA256 Credential=${AWS_ACCESS_KEY_ID}/x, SignedHeaders=host, Signature=0`,
      'Content-Length': 20_000_000,
      'X-Amz-Content-Sha256': 'UNSIGNED-PAYLOAD',
      'X-Amz-Date': new Date().toISOString().replaceAll(/[-:]|\.\d+/g, ''),
    },
  });
  const closed = new Promise((resolve) => upload.once('close', resolve));
  // Hanging up is what the test is about, so the error it makes here is no news.
  upload.on('error', () => undefined);
  // The callback comes when the kernel took it, and that is more than its buffers hold.
  await new Promise((resolve) => upload.write(Buffer.alloc(10_000_000, 'x'), resolve));
  upload.destroy();
  await closed;
}

it('stores a stream without the SDK’s chunk framing', async () => {
  const lines = Array.from({ length: 20_000 }, (_, n) => `line ${n}\n`).join('');
  const Body = Readable.from([Buffer.from(lines)]);
  await client.send(
    new PutObjectCommand({ Bucket, Key: 'streamed', Body, ContentLength: lines.length, ContentEncoding: 'gzip' }),
  );
  expect(await read('streamed')).toBe(lines);
  const answer = await client.send(new GetObjectCommand({ Bucket, Key: 'streamed', Range: 'bytes=5-9' }));
  expect(answer.ContentEncoding).toBe('gzip');
  expect(await answer.Body?.transformToString()).toBe(lines.slice(5, 10));
  expect(await read('streamed', { Range: 'bytes=0-0' })).toBe('l');
});

it('keeps the old object when an upload breaks off, and shows no part of a new one', async () => {
  await client.send(new PutObjectCommand({ Bucket, Key: 'kept', Body: 'old' }));
  for (const Key of ['kept', 'never']) await breakOff(Key);
  expect(await read('kept')).toBe('old');
  await expect(read('never')).rejects.toThrow(expect.objectContaining({ name: 'NoSuchKey' }));
});

it('honours If-Match and If-None-Match', async () => {
  const put = (Body: string, more = {}) => client.send(new PutObjectCommand({ Bucket, Key: 'pinned', Body, ...more }));
  const IfMatch = (await put('one')).ETag ?? '';
  expect(await read('pinned', { IfMatch, Range: 'bytes=0-1' })).toBe('on');
  await put('two');
  const refused = expect.objectContaining({ $metadata: expect.objectContaining({ httpStatusCode: 412 }) });
  await expect(read('pinned', { IfMatch, Range: 'bytes=0-1' })).rejects.toThrow(refused);
  await expect(read('pinned', { IfMatch })).rejects.toThrow(refused);
  await expect(put('three', { IfNoneMatch: '*' })).rejects.toThrow(refused);
  await expect(put('three', { IfMatch })).rejects.toThrow(refused);
  expect(await read('pinned')).toBe('two');
  const { ETag: now } = await client.send(new HeadObjectCommand({ Bucket, Key: 'pinned' }));
  await put('three', { IfMatch: now });
  expect(await read('pinned')).toBe('three');
  const upload = { Bucket, Key: 'pinned', UploadId: '' };
  upload.UploadId = (await client.send(new CreateMultipartUploadCommand(upload))).UploadId ?? '';
  const { ETag } = await client.send(new UploadPartCommand({ ...upload, PartNumber: 1, Body: 'four' }));
  const end = { ...upload, MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] } };
  await expect(client.send(new CompleteMultipartUploadCommand({ ...end, IfMatch: now }))).rejects.toThrow(refused);
  expect(await read('pinned')).toBe('three');
});

it('lists every key once and in order, over several pages', async () => {
  const keys = ['list/a/1', 'list/a-b', 'list/a/2/3', 'list/b', 'list/a.b'];
  for (const Key of keys) await client.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
  await client.send(new DeleteObjectCommand({ Bucket, Key: 'list/b' }));
  const listed: string[] = [];
  for await (const page of paginateListObjectsV2({ client, pageSize: 2 }, { Bucket, Prefix: 'list/' })) {
    for (const object of page.Contents ?? []) listed.push(object.Key ?? '');
  }
  expect(listed).toEqual(['list/a-b', 'list/a.b', 'list/a/1', 'list/a/2/3']);
});

it('forgets an aborted upload', async () => {
  const upload = { Bucket, Key: 'aborted', UploadId: '' };
  upload.UploadId = (await client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'aborted' }))).UploadId ?? '';
  await client.send(new UploadPartCommand({ ...upload, PartNumber: 1, Body: 'part' }));
  await client.send(new AbortMultipartUploadCommand(upload));
  const late = client.send(new UploadPartCommand({ ...upload, PartNumber: 2, Body: 'part' }));
  await expect(late).rejects.toThrow(expect.objectContaining({ name: 'NoSuchUpload' }));
});

it('names its region, and answers nobody without the key', async () => {
  const head = await client.send(new HeadBucketCommand({ Bucket }));
  expect(head.BucketRegion).toBe('eu-central-1');
  await client.send(new PutObjectCommand({ Bucket, Key: 'private', Body: 'raw' }));
  const anonymous = await fetch(`${inject('servers').S3_ENDPOINT}/${Bucket}/private`);
  expect(anonymous.status).toBe(403);
  const stranger = connect('S3RVER');
  const refused = stranger.send(new GetObjectCommand({ Bucket, Key: 'private' }));
  await expect(refused).rejects.toThrow(expect.objectContaining({ name: 'AccessDenied' }));
  stranger.destroy();
});

it('writes an object once, in a piece and in parts', async () => {
  const { S3_ENDPOINT = '', S3_REGION = '', AWS_ACCESS_KEY_ID = '', AWS_SECRET_ACCESS_KEY = '' } = test.env;
  const store = createObjectStore({
    ...{ endpoint: S3_ENDPOINT, region: S3_REGION, rawBucket: Bucket, archiveBucket: Bucket },
    ...{ accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY },
  });
  const long = randomBytes(9 * 1024 * 1024);
  for (const [key, first, second] of [
    ['once/piece', Buffer.from('first'), Buffer.from('second')],
    ['once/parts', long, Buffer.from(long).reverse()],
  ] as const) {
    const write = (bytes: Buffer) => store.putStreamOnce(Bucket, key, Readable.from([bytes], { objectMode: false }));
    expect(await write(first)).toBe(true);
    expect(await write(second)).toBe(false);
    const stored = Buffer.concat(await (await store.get(Bucket, key)).toArray());
    expect(stored.equals(first)).toBe(true);
  }
  store.close();
});
