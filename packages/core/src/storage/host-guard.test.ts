import { Readable } from 'node:stream';
import { GetObjectCommand, HeadBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { ResidencyError } from '../residency/residency-error.ts';
import { guardHost } from './host-guard.ts';

const ENDPOINT = 'https://s3.example.eu';

/** A client whose network answers with `status`, and the hosts it was asked to reach. */
function createClient(status: number, headers: Record<string, string> = {}) {
  const asked: string[] = [];
  let refusals = 0;
  const client = new S3Client({
    endpoint: ENDPOINT,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    forcePathStyle: true,
    requestHandler: {
      async handle(request: { hostname: string }) {
        asked.push(request.hostname);
        return { response: { statusCode: status, headers, body: Readable.from([]) } };
      },
    } as never,
  });
  guardHost(client, ENDPOINT, () => {
    refusals += 1;
  });
  return { client, asked, refusals: () => refusals };
}

/** Changes where requests go, as a plug-in or a misled configuration would. */
function divert(client: S3Client, change: { hostname?: string; port?: number; protocol?: string }): void {
  client.middlewareStack.add(
    (next) => (args) => next({ ...args, request: Object.assign(args.request as object, change) }),
    {
      step: 'finalizeRequest',
      priority: 'low',
      name: 'divert',
    },
  );
}

const get = new GetObjectCommand({ Bucket: 'b', Key: 'k' });

it('lets a request to the endpoint pass', async () => {
  const { client, asked, refusals } = createClient(200);
  await client.send(get);
  expect([asked, refusals()]).toEqual([['s3.example.eu'], 0]);
});

it.each([
  { hostname: 's3.us-east-1.amazonaws.com' },
  { hostname: 'b.s3.example.eu' },
  { port: 8443 },
  { protocol: 'http:' },
])('refuses a request to %j before it is sent', async (change) => {
  const { client, asked, refusals } = createClient(200);
  divert(client, change);
  await expect(client.send(get)).rejects.toThrow(ResidencyError);
  expect([asked, refusals()]).toEqual([[], 1]);
});

it.each([301, 302, 303, 307, 308])('refuses a redirect by HTTP %i, once', async (status) => {
  const { client, asked, refusals } = createClient(status, { location: 'https://elsewhere.test/b/k' });
  await expect(client.send(get)).rejects.toThrow(/redirects to another server/);
  expect([asked, refusals()]).toEqual([['s3.example.eu'], 1]);
});

it('lets HeadBucket say where a bucket is, without following', async () => {
  const { client, asked } = createClient(301, { 'x-amz-bucket-region': 'us-east-1' });
  await expect(client.send(new HeadBucketCommand({ Bucket: 'b' }))).rejects.not.toThrow(ResidencyError);
  expect(asked).toEqual(['s3.example.eu']);
});
