import type S3rver from 's3rver';
import S3Error from 's3rver/lib/models/error.js';
import { placeOf } from './s3-guard.ts';
import type { AtomicStore } from './s3-store.ts';

const MOST_KEYS = 1_000;

/**
 * Answers ListObjectsV2. s3rver's own fails as soon as there is a second page: it encrypts the
 * continuation token with DES, which Node has not had for years. Ours is the last key.
 */
export function answerListings(store: AtomicStore): S3rver['middleware'][number] {
  return async (context, next) => {
    const { bucket, key } = placeOf(context.path);
    if (context.method !== 'GET' || key !== '' || context.query['list-type'] !== '2') return next();
    if ((await store.getBucket(bucket)) === null) {
      throw new S3Error('NoSuchBucket', 'The specified bucket does not exist', { BucketName: bucket });
    }
    const { query } = context;
    const token = text(query['continuation-token']);
    const options = {
      prefix: text(query.prefix),
      delimiter: text(query.delimiter),
      startAfter: token === '' ? text(query['start-after']) : Buffer.from(token, 'base64url').toString('utf8'),
      maxKeys: Math.min(Number(query['max-keys'] ?? MOST_KEYS), MOST_KEYS),
    };
    if (!Number.isSafeInteger(options.maxKeys) || options.maxKeys < 1) {
      throw new S3Error('InvalidArgument', 'max-keys is a whole number of at least 1', { ArgumentName: 'max-keys' });
    }
    const { objects, commonPrefixes, isTruncated, lastKey } = await store.listObjects(bucket, options);
    context.body = {
      ListBucketResult: {
        '@': { xmlns: 'http://s3.amazonaws.com/doc/2006-03-01/' },
        Name: bucket,
        Prefix: options.prefix,
        KeyCount: objects.length + commonPrefixes.length,
        MaxKeys: options.maxKeys,
        IsTruncated: isTruncated,
        ...(isTruncated && { NextContinuationToken: Buffer.from(lastKey).toString('base64url') }),
        Contents: objects.map((object) => ({
          Key: object.key,
          LastModified: new Date(object.metadata['last-modified'] ?? 0).toISOString(),
          ETag: object.metadata.etag ?? '',
          Size: object.metadata['content-length'] ?? '0',
          StorageClass: 'STANDARD',
        })),
        CommonPrefixes: commonPrefixes.map((prefix) => ({ Prefix: prefix })),
      },
    };
  };
}

function text(value: string | string[] | undefined): string {
  return typeof value === 'string' ? value : '';
}
