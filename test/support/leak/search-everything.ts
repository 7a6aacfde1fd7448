import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { GetObjectTaggingCommand, HeadObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { createObjectStore } from '@backfill/core/storage/object-store';
import { Redis } from 'ioredis';
import type { StackProcess } from '../stack-process.ts';
import type { Planted } from './identifiers.ts';

/** Something that was written down somewhere, byte by byte. */
export interface Written {
  where: string;
  bytes: Buffer;
}

const run = promisify(execFile);

async function psql(stack: StackProcess, sql: string): Promise<Buffer> {
  const args = [stack.env.DATABASE_URL ?? '', '-X', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-c', sql];
  const { stdout } = await run('psql', args, { encoding: 'buffer', maxBuffer: 1024 ** 3 });
  return stdout;
}

/** Every table of every schema that is not PostgreSQL's own, as COPY writes it. */
export async function dumpDatabase(stack: StackProcess): Promise<Written[]> {
  const tables = await psql(
    stack,
    `select c.oid::regclass from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind in ('r', 'm') and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast') order by 1`,
  );
  const dumps: Written[] = [];
  for (const table of tables.toString().split('\n').filter(Boolean)) {
    dumps.push({ where: `PostgreSQL ${table}`, bytes: await psql(stack, `copy ${table} to stdout`) });
  }
  return dumps;
}

async function readKey(redis: Redis, key: string): Promise<unknown> {
  switch (await redis.type(key)) {
    case 'string':
      return redis.get(key);
    case 'hash':
      return redis.hgetall(key);
    case 'list':
      return redis.lrange(key, 0, -1);
    case 'set':
      return redis.smembers(key);
    case 'zset':
      return redis.zrange(key, '0', '-1');
    case 'stream':
      return redis.xrange(key, '-', '+');
    default:
      throw new Error(`cannot read the Redis key ${key}`);
  }
}

/** Every key of Redis with its value. */
export async function dumpRedis(stack: StackProcess): Promise<Written[]> {
  const redis = new Redis(stack.env.REDIS_URL ?? '');
  const written: Written[] = [];
  for (const key of await redis.keys('*')) {
    const value = JSON.stringify(await readKey(redis, key));
    written.push({ where: `Redis ${key}`, bytes: Buffer.from(`${key} ${value}`) });
  }
  redis.disconnect();
  return written;
}

/** Every object of a bucket with its key and all that is said about it. */
export async function readBucket(stack: StackProcess, bucket: string): Promise<Written[]> {
  const { env } = stack;
  const store = createObjectStore({
    endpoint: env.S3_ENDPOINT ?? '',
    region: env.S3_REGION ?? '',
    accessKeyId: env.AWS_ACCESS_KEY_ID ?? '',
    secretAccessKey: env.AWS_SECRET_ACCESS_KEY ?? '',
    rawBucket: 'analytics-raw',
    archiveBucket: 'analytics-backfill',
  });
  const client = new S3Client({
    endpoint: env.S3_ENDPOINT ?? '',
    region: env.S3_REGION ?? '',
    credentials: { accessKeyId: env.AWS_ACCESS_KEY_ID ?? '', secretAccessKey: env.AWS_SECRET_ACCESS_KEY ?? '' },
    forcePathStyle: true,
  });
  const written: Written[] = [];
  for await (const { key } of store.list(bucket, '')) {
    const about = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
    const tags = await client.send(new GetObjectTaggingCommand({ Bucket: bucket, Key: key }));
    const chunks: Buffer[] = [Buffer.from(`${key}\n${JSON.stringify([about, tags])}\n`)];
    for await (const chunk of await store.get(bucket, key)) chunks.push(chunk as Buffer);
    written.push({ where: `s3://${bucket}/${key}`, bytes: Buffer.concat(chunks) });
  }
  store.close();
  client.destroy();
  return written;
}

/** Every file below a folder of the state directory. */
export async function readFolder(stack: StackProcess, folder: string): Promise<Written[]> {
  const root = path.join(stack.stateDir, folder);
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map(async (entry) => {
        const file = path.join(entry.parentPath, entry.name);
        return { where: file.slice(stack.stateDir.length + 1), bytes: await readFile(file) };
      }),
  );
}

/** The ways in which an identifier may be written down. */
function formsOf(text: string): Set<string> {
  const json = JSON.stringify(text).slice(1, -1);
  const spaces = text.replaceAll(' ', '%20');
  return new Set([text, encodeURIComponent(text), spaces, json, text.toLowerCase(), text.toUpperCase()]);
}

/** The identifiers that stand anywhere in what was written, each with its place and where it was found. */
export function findLeaks(planted: readonly Planted[], written: readonly Written[]): string[] {
  const leaks: string[] = [];
  for (const { kind, place, text } of planted) {
    const forms = [...formsOf(text)].map((form) => Buffer.from(form));
    const found = written.find(({ bytes }) => forms.some((form) => bytes.includes(form)));
    if (found !== undefined) leaks.push(`${kind} at ${place} in ${found.where}`);
  }
  return leaks;
}
