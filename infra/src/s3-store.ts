import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import S3Error from 's3rver/lib/models/error.js';
import S3Object from 's3rver/lib/models/object.js';
import FilesystemStore from 's3rver/lib/stores/filesystem.js';
import { AwsChunkedDecoder, isAwsChunked } from './aws-chunked.ts';
import { listPage } from './s3-listing.ts';

const OBJECT_SUFFIX = '._S3rver_object';
const RENAME_ATTEMPTS = 10;

interface Stored {
  size: number;
  md5: string;
}

type RequestHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** s3rver takes an end of 0 for none, and gives the whole object: an object that holds the 0 counts as one. */
function withFirstByte(options?: { start?: number; end?: number }) {
  return options?.end === 0 ? { ...options, end: Object(0) as number } : options;
}

/**
 * s3rver's store with what a pipeline needs from S3: an object appears whole or not at all, is
 * there when the answer comes, keeps its old content when an upload breaks off, is stored without
 * the SDKs' chunk framing, and is listed in key order. s3rver's own answers before the file is
 * written, writes in place, and lists in the order of directories.
 */
export class AtomicStore extends FilesystemStore {
  readonly #incoming: string;
  /** The last operation under way per object: content and metadata are separate files. */
  readonly #busy = new Map<string, Promise<unknown>>();

  /** Unfinished uploads go to `incoming`, on the same file system as the buckets. */
  constructor(buckets: string, incoming: string) {
    super(buckets);
    this.#incoming = incoming;
  }

  override async getObject(bucket: string, key: string, options?: { start?: number; end?: number }) {
    return this.#alone(bucket, key, () => super.getObject(bucket, key, withFirstByte(options)));
  }

  override async putObject(object: S3Object): Promise<Stored> {
    const headers = headersOf(object.content);
    const draft = path.join(this.#incoming, randomUUID());
    try {
      const stored = await this.#receive(object.content, headers, draft);
      await this.#alone(object.bucket, object.key, async () => {
        await this.requireConditions(object, headers);
        await moveInto(draft, this.getResourcePath(object.bucket, object.key, 'object'));
        await this.putMetadata(object.bucket, object.key, withoutFraming(object.metadata), stored.md5);
      });
      return stored;
    } finally {
      await rm(draft, { force: true });
    }
  }

  /** Throws unless what stands there is as `If-Match` and `If-None-Match` of a write want it. */
  async requireConditions({ bucket, key }: { bucket: string; key: string }, headers: RequestHeaders): Promise<void> {
    const wanted = headers['if-match'];
    const hasNone = headers['if-none-match'] === '*';
    if (wanted === undefined && !hasNone) return;
    const exists = await this.existsObject(bucket, key);
    if (hasNone && exists) throw new S3Error('PreconditionFailed', 'The object exists already.', { Key: key });
    if (wanted === undefined) return;
    if (!exists) throw new S3Error('NoSuchKey', 'The specified key does not exist.', { Key: key });
    const { etag = '' } = await this.getMetadata(bucket, key);
    if (unquoted(etag) === unquoted(String(wanted))) return;
    throw new S3Error('PreconditionFailed', 'The object is not the one to be replaced.', { Key: key });
  }

  override async deleteObject(bucket: string, key: string): Promise<void> {
    await this.#alone(bucket, key, async () => {
      for (const resource of ['object', 'object.md5', 'metadata.json']) {
        await rm(this.getResourcePath(bucket, key, resource), { force: true });
      }
    });
    await removeEmptyFolders(this.getBucketPath(bucket), path.dirname(this.getResourcePath(bucket, key, 'object')));
  }

  override async putPart(bucket: string, uploadId: string, partNumber: string | number, content: Readable) {
    const folder = await this.#uploadFolder(bucket, uploadId);
    const draft = path.join(this.#incoming, randomUUID());
    try {
      const stored = await this.#receive(content, headersOf(content), draft);
      await moveInto(draft, path.join(folder, String(Number(partNumber))));
      await writeFile(path.join(folder, `${Number(partNumber)}.md5`), stored.md5);
      return stored;
    } finally {
      await rm(draft, { force: true });
    }
  }

  override async putObjectMultipart(bucket: string, uploadId: string, parts: { number: number; etag: string }[]) {
    const folder = await this.#uploadFolder(bucket, uploadId);
    const ordered = parts.toSorted((a, b) => a.number - b.number);
    for (const { number, etag } of ordered) {
      if ((await textOf(path.join(folder, `${number}.md5`))) === etag) continue;
      throw new S3Error('InvalidPart', `Part ${number} was not uploaded with this ETag.`);
    }
    const key = await readFile(path.join(folder, 'key'), 'utf8');
    const metadata = JSON.parse(await readFile(path.join(folder, 'metadata'), 'utf8')) as Record<string, string>;
    const content = Readable.from(bytesOf(ordered.map(({ number }) => path.join(folder, String(number)))));
    const stored = await this.putObject(new S3Object(bucket, key, content, metadata));
    await rm(folder, { recursive: true, force: true });
    return stored;
  }

  /** Forgets an upload and its parts; s3rver knows no such thing. */
  async abortUpload(bucket: string, uploadId: string): Promise<void> {
    await rm(await this.#uploadFolder(bucket, uploadId), { recursive: true, force: true });
  }

  override async listObjects(bucket: string, options: Parameters<FilesystemStore['listObjects']>[1]) {
    const keys = await keysOf(this.getBucketPath(bucket), options.prefix ?? '');
    const page = listPage(keys, options);
    const objects: S3Object[] = [];
    for (const key of page.keys) {
      const metadata = await unlessGone(this.#alone(bucket, key, () => this.getMetadata(bucket, key)));
      if (metadata !== undefined) objects.push(new S3Object(bucket, key, null, metadata));
    }
    // An object may vanish between the two looks, so the next page starts by the key.
    return { ...page, objects, lastKey: page.keys.at(-1) ?? '' };
  }

  /** Writes a request's body to a file. Errors when the client goes away in the middle. */
  async #receive(content: S3Object['content'], headers: RequestHeaders, file: string): Promise<Stored> {
    const md5 = createHash('md5');
    let size = 0;
    const measure = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        md5.update(chunk);
        size += chunk.length;
        done(null, chunk);
      },
    });
    const source = Buffer.isBuffer(content) ? Readable.from([content]) : (content ?? Readable.from([]));
    const frames = isAwsChunked(headers) ? [new AwsChunkedDecoder()] : [];
    await pipeline([source, ...frames, measure, createWriteStream(file)] as const);
    const announced = headers['x-amz-decoded-content-length'];
    if (announced !== undefined && Number(announced) !== size) {
      throw new S3Error('IncompleteBody', `The body has ${size} bytes, not ${String(announced)}.`);
    }
    return { size, md5: md5.digest('hex') };
  }

  async #uploadFolder(bucket: string, uploadId: string): Promise<string> {
    const folder = path.join(this.getResourcePath(bucket, undefined, 'uploads'), path.basename(uploadId));
    if ((await textOf(path.join(folder, 'key'))) === undefined) {
      throw new S3Error('NoSuchUpload', 'The upload does not exist.', { UploadId: uploadId });
    }
    return folder;
  }

  /** Runs operations on one object one after the other. */
  async #alone<T>(bucket: string, key: string, work: () => Promise<T>): Promise<T> {
    const name = `${bucket}/${key}`;
    const before = this.#busy.get(name) ?? Promise.resolve();
    const mine = before.then(work, work);
    this.#busy.set(name, mine);
    try {
      return await mine;
    } finally {
      if (this.#busy.get(name) === mine) this.#busy.delete(name);
    }
  }
}

/** An ETag without its quotes. */
export function unquoted(etag: string): string {
  return etag.replaceAll('"', '');
}

/** The headers of the request whose body this is. */
function headersOf(content: S3Object['content']): RequestHeaders {
  return content !== null && 'headers' in content ? (content.headers as RequestHeaders) : {};
}

/** `aws-chunked` says how the body travelled, not what it is. */
function withoutFraming(metadata: S3Object['metadata']): S3Object['metadata'] {
  const { 'content-encoding': encoding, ...rest } = metadata;
  const kept = (encoding ?? '').split(',').filter((one) => one.trim() !== '' && one.trim() !== 'aws-chunked');
  return kept.length === 0 ? rest : { ...rest, 'content-encoding': kept.join(',') };
}

/** Renames, creating the folder; a delete may remove the folder again in between. */
async function moveInto(from: string, to: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    await mkdir(path.dirname(to), { recursive: true });
    try {
      await rename(from, to);
      return;
    } catch (error) {
      if (attempt >= RENAME_ATTEMPTS || !isCode(error, 'ENOENT')) throw error;
    }
  }
}

async function removeEmptyFolders(top: string, folder: string): Promise<void> {
  for (let one = folder; one.startsWith(`${top}/`); one = path.dirname(one)) {
    try {
      await rmdir(one);
    } catch (error) {
      if (isCode(error, 'ENOTEMPTY') || isCode(error, 'ENOENT')) return;
      throw error;
    }
  }
}

/** Every key below the folder that the prefix names; more may come than match the prefix. */
async function keysOf(bucketPath: string, prefix: string): Promise<string[]> {
  const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
  const files = await unlessGone(readdir(path.join(bucketPath, folder), { recursive: true }));
  return (files ?? [])
    .filter((file) => file.endsWith(OBJECT_SUFFIX))
    .map((file) => folder + file.slice(0, -OBJECT_SUFFIX.length));
}

async function* bytesOf(files: readonly string[]): AsyncGenerator<Buffer> {
  for (const file of files) yield* createReadStream(file);
}

async function textOf(file: string): Promise<string | undefined> {
  return unlessGone(readFile(file, 'utf8'));
}

async function unlessGone<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (isCode(error, 'ENOENT') || isCode(error, 'ENOTDIR')) return undefined;
    throw error;
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
