import type { Readable } from 'node:stream';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  NoSuchBucket,
  NoSuchKey,
  NotFound,
  PutObjectCommand,
  type PutObjectCommandInput,
  paginateListObjectsV2,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import type { StorageConfig } from '../config/environment.ts';
import { FatalError } from '../errors.ts';
import type { BucketFacts } from '../residency/residency-facts.ts';
import { guardHost } from './host-guard.ts';
import { inspectBucket } from './inspect-bucket.ts';
import { type BucketKeeping, inspectKeeping } from './inspect-keeping.ts';
import { type BlockContent, putBlocksCommand } from './put-blocks.ts';
import { ShortBodyError, wholeBody } from './whole-body.ts';

export interface ObjectInfo {
  key: string;
  size: number;
  etag: string;
  lastModified: Date;
}

export interface GetOptions {
  /** Bytes [start, end) of the object; the whole object when absent. */
  range?: { start: number; end: number };
  /** Refuse the object when it no longer has this ETag. */
  ifMatch?: string;
  /** Bytes of the whole object, where they are known: the answer is held against them. */
  size?: number;
  /** Gives up waiting for the answer. Whoever reads the body ends that. */
  signal?: AbortSignal;
}

/** The object store, narrowed to what the system does with it. Bucket names are the caller's. */
export interface ObjectStore {
  /** Every object below the prefix, in key order. Throws {@link FatalError} when there is no such bucket. */
  list(bucket: string, prefix: string): AsyncIterable<ObjectInfo>;
  /**
   * @throws {FatalError} when the object is gone or is not the one pinned by `ifMatch`.
   * @throws {ShortBodyError} (as the stream's error) when the answer is over before the object is.
   */
  get(bucket: string, key: string, options?: GetOptions): Promise<Readable>;
  /** True when the object exists. */
  exists(bucket: string, key: string, signal?: AbortSignal): Promise<boolean>;
  /** The ETag of an object, undefined when there is none. */
  etagOf(bucket: string, key: string, signal?: AbortSignal): Promise<string | undefined>;
  put(bucket: string, key: string, body: Buffer, contentType: string, signal?: AbortSignal): Promise<void>;
  /** Writes bytes that lie in several blocks, without a copy of them. The blocks must stay as they are meanwhile. */
  putBlocks(bucket: string, key: string, content: BlockContent, signal?: AbortSignal): Promise<void>;
  /** Uploads a stream of unknown length in parts; memory stays at a few parts. */
  putStream(bucket: string, key: string, body: Readable, signal?: AbortSignal): Promise<void>;
  /**
   * Like `putStream`, and the store itself refuses it when there is such an object by the end: whoever comes late, thawed
   * or repeated, writes over nothing.
   *
   * @returns false when it was refused
   */
  putStreamOnce(bucket: string, key: string, body: Readable, signal?: AbortSignal): Promise<boolean>;
  /**
   * Like `putStream`, and the store itself refuses it when the object is not, by the end, the one of this ETag (`If-Match`).
   *
   * @returns false when it was refused
   */
  replaceStream(bucket: string, key: string, body: Readable, etag: string, signal?: AbortSignal): Promise<boolean>;
  /** Deletes an object; one that is not there is deleted already. */
  remove(bucket: string, key: string): Promise<void>;
  /** Throws unless the bucket answers. */
  checkBucket(bucket: string): Promise<void>;
  /** Makes a bucket in the store's region; one that is there stays as it is. For setting up: services make none. */
  createBucket(bucket: string): Promise<void>;
  /** Where the bucket is and where it is replicated to, as far as the server says. Throws when it cannot be reached. */
  inspectBucket(bucket: string): Promise<BucketFacts>;
  /** What the bucket does with its objects by itself, as far as the server says. Throws when it cannot be reached. */
  inspectKeeping(bucket: string): Promise<BucketKeeping>;
  close(): void;
}

const UPLOAD_PART_BYTES = 8 * 1024 * 1024;
/** How often a request is made in all, when the store is away, overloaded, or silent. */
const MAX_ATTEMPTS = 5;
const CONNECT_WITHIN_MS = 10_000;
/** When a server is given up that sends and takes nothing. It may have much to do before it answers the end of an upload. */
const SILENT_FOR_MS = 120_000;

function isMissing(error: unknown): boolean {
  return error instanceof NoSuchKey || error instanceof NotFound;
}

function isPreconditionFailed(error: unknown): boolean {
  return error instanceof S3ServiceException && error.$metadata.httpStatusCode === 412;
}

/** Another conditional write was under way. */
function isConflict(error: unknown): boolean {
  return error instanceof S3ServiceException && error.$metadata.httpStatusCode === 409;
}

async function upload(
  client: S3Client,
  params: PutObjectCommandInput & { Body: Readable },
  signal: AbortSignal | undefined,
): Promise<void> {
  const running = new Upload({ client, params, partSize: UPLOAD_PART_BYTES, queueSize: 2 });
  const abort = () => void running.abort();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    await running.done();
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

/** @returns false when the store refused it under the condition, or because another conditional write was under way */
async function uploadIf(...args: Parameters<typeof upload>): Promise<boolean> {
  try {
    await upload(...args);
    return true;
  } catch (error) {
    // The store says of an object that is gone that there is none to match.
    if (isPreconditionFailed(error) || isConflict(error) || isMissing(error)) return false;
    throw error;
  }
}

async function etagOf(
  client: S3Client,
  bucket: string,
  key: string,
  signal?: AbortSignal,
): Promise<string | undefined> {
  try {
    const command = new HeadObjectCommand({ Bucket: bucket, Key: key });
    return (await client.send(command, signal && { abortSignal: signal })).ETag;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

async function get(client: S3Client, bucket: string, key: string, options: GetOptions): Promise<Readable> {
  const { range, ifMatch, signal } = options;
  try {
    const answer = await client.send(
      new GetObjectCommand({
        Bucket: bucket,
        Key: key,
        ...(range && { Range: `bytes=${range.start}-${range.end - 1}` }),
        ...(ifMatch !== undefined && { IfMatch: ifMatch }),
      }),
      signal && { abortSignal: signal },
    );
    const expected = range === undefined ? options.size : range.end - range.start;
    return wholeBody(answer.Body as Readable, expected ?? answer.ContentLength, async (bytes) => {
      const { ContentLength: size = 0 } = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
      // An object of another size than the caller knows is another object, which the caller's checksum tells.
      return bytes === (range === undefined ? size : Math.max(0, Math.min(size, range.end) - range.start));
    });
  } catch (error) {
    if (isMissing(error)) throw new FatalError(`s3://${bucket}/${key} does not exist`, { cause: error });
    if (isPreconditionFailed(error)) {
      throw new FatalError(`s3://${bucket}/${key} was changed after it was pinned`, { cause: error });
    }
    throw error;
  }
}

async function* list(client: S3Client, bucket: string, prefix: string): AsyncGenerator<ObjectInfo> {
  try {
    for await (const page of paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: prefix })) {
      // A listing that breaks off does not parse, but one of no bytes at all would pass for an empty bucket.
      if (page.Name === undefined)
        throw new ShortBodyError(`the listing of s3://${bucket}/${prefix} came without content`);
      for (const object of page.Contents ?? []) {
        yield {
          key: object.Key ?? '',
          size: object.Size ?? 0,
          etag: object.ETag ?? '',
          lastModified: object.LastModified ?? new Date(0),
        };
      }
    }
  } catch (error) {
    if (error instanceof NoSuchBucket) throw new FatalError(`there is no bucket ${bucket}`, { cause: error });
    throw error;
  }
}

/**
 * Connects to the object store of the configuration, and to no other: environment variables, ARNs and redirects
 * cannot send a request elsewhere. A store that accepts requests and says nothing fails them (`TimeoutError`): nobody
 * waits for ever, also not in the middle of an object, and whoever is slow but goes on is let.
 *
 * @param onRefusal called when a request was refused because it would have gone elsewhere.
 */
export function createObjectStore(config: StorageConfig, onRefusal: () => void = () => undefined): ObjectStore {
  const client = new S3Client({
    endpoint: config.endpoint,
    region: config.region,
    credentials: { accessKeyId: config.accessKeyId, secretAccessKey: config.secretAccessKey },
    forcePathStyle: true,
    ignoreConfiguredEndpointUrls: true,
    disableMultiregionAccessPoints: true,
    useArnRegion: false,
    followRegionRedirects: false,
    // Our own sha256 checks every object; some S3 servers store the SDK's chunk framing inside streamed objects.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: MAX_ATTEMPTS,
    requestHandler: { connectionTimeout: CONNECT_WITHIN_MS, socketTimeout: config.timeoutMs ?? SILENT_FOR_MS },
  });
  guardHost(client, config.endpoint, onRefusal);
  return {
    list: (bucket, prefix) => list(client, bucket, prefix),
    get: (bucket, key, options = {}) => get(client, bucket, key, options),
    exists: async (bucket, key, signal) => (await etagOf(client, bucket, key, signal)) !== undefined,
    etagOf: (bucket, key, signal) => etagOf(client, bucket, key, signal),
    async put(bucket, key, body, contentType, signal) {
      const command = new PutObjectCommand({ Bucket: bucket, Key: key, Body: body, ContentType: contentType });
      await client.send(command, signal && { abortSignal: signal });
    },
    async putBlocks(bucket, key, content, signal) {
      await client.send(putBlocksCommand(bucket, key, content), signal && { abortSignal: signal });
    },
    putStream: (bucket, key, body, signal) => upload(client, { Bucket: bucket, Key: key, Body: body }, signal),
    putStreamOnce: (bucket, key, body, signal) =>
      uploadIf(client, { Bucket: bucket, Key: key, Body: body, IfNoneMatch: '*' }, signal),
    replaceStream: (bucket, key, body, etag, signal) =>
      uploadIf(client, { Bucket: bucket, Key: key, Body: body, IfMatch: etag }, signal),
    async remove(bucket, key) {
      await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
    },
    async checkBucket(bucket) {
      await client.send(new HeadBucketCommand({ Bucket: bucket }));
    },
    async createBucket(bucket) {
      try {
        await client.send(new HeadBucketCommand({ Bucket: bucket }));
      } catch (error) {
        if (!isMissing(error)) throw error;
        await client.send(new CreateBucketCommand({ Bucket: bucket }));
      }
    },
    inspectBucket: (bucket) => inspectBucket(client, bucket),
    inspectKeeping: (bucket) => inspectKeeping(client, bucket),
    close: () => client.destroy(),
  };
}
