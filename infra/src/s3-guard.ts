import type { Readable } from 'node:stream';
import type S3rver from 's3rver';
import S3Error from 's3rver/lib/models/error.js';
import { S3_REGION } from './s3.ts';
import { type AtomicStore, unquoted } from './s3-store.ts';

/**
 * Goes before s3rver's own handling and adds what it lacks: anonymous requests and other keys are
 * refused, `If-Match` and `If-None-Match` are honoured, the bucket's region is named, uploads can be aborted, and keys
 * that a file system cannot tell apart or that lead out of the bucket are refused.
 * s3rver does not check signatures of version 4: the random access key is what protects the data.
 */
export function guardS3(accessKeyId: string, store: AtomicStore): S3rver['middleware'][number] {
  return async (context, next) => {
    context.set('x-amz-bucket-region', S3_REGION);
    if (!carriesKey(context, accessKeyId)) throw new S3Error('AccessDenied', 'Access Denied');
    const { bucket, key } = placeOf(context.path);
    const segments = key.split('/').slice(0, key.endsWith('/') ? -1 : undefined);
    if (key !== '' && segments.some((one) => one === '' || one === '.' || one === '..')) {
      throw new S3Error('InvalidArgument', 'This server stores no keys with empty, . or .. segments.', { Key: key });
    }
    const upload = context.query.uploadId;
    if (context.method === 'DELETE' && typeof upload === 'string') {
      await store.abortUpload(bucket, upload);
      context.status = 204;
      return;
    }
    await checkConditions(context, { bucket, key }, store);
    await next();
    checkIfMatch(context, key);
  };
}

function carriesKey({ headers, query }: S3rver.Context, accessKeyId: string): boolean {
  const signed = /Credential=([^/,\s]{1,128})\//.exec(headers.authorization ?? '')?.[1];
  const presigned = String(query['X-Amz-Credential'] ?? '').split('/')[0];
  return signed === accessKeyId || presigned === accessKeyId;
}

/** The bucket and key that a path names; empty where it names none. */
export function placeOf(encodedPath: string): { bucket: string; key: string } {
  const [bucket = '', ...rest] = decodeURIComponent(encodedPath).slice(1).split('/');
  return { bucket, key: rest.join('/') };
}

/** At the end of an upload in parts; of one in a piece the store looks itself. */
async function checkConditions(
  { method, query, headers }: S3rver.Context,
  place: { bucket: string; key: string },
  store: AtomicStore,
): Promise<void> {
  if (method === 'POST' && query.uploadId !== undefined) await store.requireConditions(place, headers);
}

/** Looks at the ETag of the very answer, so that no change can come between. */
function checkIfMatch(context: S3rver.Context, key: string): void {
  const wanted = context.headers['if-match'];
  if (wanted === undefined || wanted === '*' || !['GET', 'HEAD'].includes(context.method)) return;
  const etag = context.response.get('ETag');
  if (context.status >= 300 || unquoted(etag) === unquoted(wanted)) return;
  if (isStream(context.body)) context.body.destroy();
  context.response.remove('Content-Range');
  throw new S3Error('PreconditionFailed', 'The object is not the one asked for.', { Key: key });
}

function isStream(body: unknown): body is Readable {
  return typeof body === 'object' && body !== null && 'destroy' in body && typeof body.destroy === 'function';
}
