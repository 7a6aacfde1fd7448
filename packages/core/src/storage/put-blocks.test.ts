import { createHash } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { createObjectStore } from './object-store.ts';

interface Received {
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** An S3 server that answers the first requests with these codes, and 200 from then on. */
async function startServer(codes: number[]) {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    received.push({ headers: request.headers, body: Buffer.concat(await request.toArray()) });
    response.writeHead(codes.shift() ?? 200).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const store = createObjectStore({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ...{ region: 'eu-central-1', accessKeyId: 'a', secretAccessKey: 'b', rawBucket: 'raw', archiveBucket: 'archive' },
  });
  const close = () => {
    store.close();
    server.close();
  };
  return { received, store, close };
}

const blocks = [Buffer.alloc(300_000, 'a'), Buffer.from('größe'), Buffer.alloc(700_000, 'b')];
const whole = Buffer.concat(blocks);
const sha256 = createHash('sha256').update(whole).digest('hex');
const content = { blocks, size: whole.length, sha256, contentType: 'text/plain' };

it('sends all blocks as one object, under their checksum', async () => {
  const { received, store, close } = await startServer([]);
  await store.putBlocks('archive', 'part', content);
  close();
  expect(received.map(({ body }) => body.equals(whole))).toEqual([true]);
  expect(received[0]?.headers).toMatchObject({
    'content-length': String(whole.length),
    'content-type': 'text/plain',
    'x-amz-content-sha256': sha256,
  });
});

it('sends them again, whole, when the server could not take them', async () => {
  const { received, store, close } = await startServer([503, 500]);
  await store.putBlocks('archive', 'part', content);
  close();
  expect(received.map(({ body }) => body.equals(whole))).toEqual([true, true, true]);
});

it('gives up when the server refuses them', async () => {
  const { received, store, close } = await startServer([403]);
  await expect(store.putBlocks('archive', 'part', content)).rejects.toThrow();
  close();
  expect(received.length).toBe(1);
});
