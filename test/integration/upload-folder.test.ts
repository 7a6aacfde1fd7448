import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { listLocalFiles } from '@backfill/cli/local-files';
import { type UploadTarget, uploadFiles } from '@backfill/cli/upload-folder';
import { createObjectStore, type ObjectStore } from '@backfill/core/storage/object-store';
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, it } from 'vitest';
import { ACCESS_WINDOW, accessLog } from '../support/access-log.ts';
import { type LyingS3, startLyingS3 } from '../support/lying-s3.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';

let s3: LyingS3;
let pipeline: Pipeline;
let store: ObjectStore;
let folder: string;
beforeAll(async () => {
  s3 = await startLyingS3(inject('servers').S3_ENDPOINT ?? '');
  pipeline = await startPipeline();
  store = createObjectStore({ ...pipeline.runtime.config.storage, endpoint: s3.endpoint });
});
afterAll(async () => {
  store.close();
  await pipeline.dispose();
  await s3.close();
});
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'backfill-upload-'));
});
afterEach(() => {
  s3.lie = () => undefined;
  rmSync(folder, { recursive: true });
});

const target = (batchId: string): UploadTarget => ({
  ...{ store, bucket: pipeline.runtime.config.storage.rawBucket },
  ...{ prefix: `${batchId}/`, endpoint: s3.endpoint },
});
const never = new AbortController().signal;

async function uploaded(batchId: string): Promise<Record<string, number>> {
  const sizes: Record<string, number> = {};
  for await (const { key, size } of store.list(target(batchId).bucket, `${batchId}/`)) {
    sizes[key.slice(batchId.length + 1)] = size;
  }
  return sizes;
}

it('brings files of any name into a batch, each line once', async () => {
  mkdirSync(path.join(folder, 'ぐ ü'));
  const names = ['a b.log', 'ぐ ü/журнал #1?.log', "it's 100%+&=.log"];
  for (const [n, name] of names.entries()) writeFileSync(path.join(folder, name), accessLog(n * 2, n * 2 + 2));
  writeFileSync(path.join(folder, 'empty.log'), '');
  const told: string[] = [];
  await uploadFiles(await listLocalFiles(folder), target('names'), never, ({ key }) => told.push(key));
  expect(told.sort()).toEqual([...names, 'empty.log'].sort());
  expect(Object.keys(await uploaded('names')).sort()).toEqual(told);
  await pipeline.submit({ batchId: 'names', source: 'web-access', window: ACCESS_WINDOW });
  expect((await pipeline.rest('names')).status).toBe('awaiting_publish_approval');
  const { rows } = await pipeline.sql.query(
    `select source_file, line_count::int as lines from analytics.backfill_files where batch_id = 'names'`,
  );
  expect(Object.fromEntries(rows.map(({ source_file, lines }) => [source_file, lines]))).toEqual(
    Object.fromEntries([...names.map((name) => [name, 2]), ['empty.log', 0]]),
  );
});

it('begins anew after it was cut off', async () => {
  for (let n = 0; n < 20; n += 1) writeFileSync(path.join(folder, `${n}.log`), `line ${n}\n`);
  const files = await listLocalFiles(folder);
  const interrupt = new AbortController();
  const broken = uploadFiles(files, target('cut'), interrupt.signal, () => interrupt.abort());
  await expect(broken).rejects.toThrow(/abort/i);
  const some = Object.keys(await uploaded('cut')).length;
  expect(some).toBeGreaterThan(0);
  expect(some).toBeLessThan(files.length);
  await uploadFiles(files, target('cut'), never);
  expect(await uploaded('cut')).toEqual(Object.fromEntries(files.map(({ key, size }) => [key, size])));
});

it('tells a file that changes on the way', async () => {
  const file = path.join(folder, 'growing.log');
  writeFileSync(file, 'first line\n');
  s3.lie = ({ method, key }) => {
    if (method === 'PUT' && key === 'grows/growing.log') appendFileSync(file, 'second line\n');
    return undefined;
  };
  const refused = uploadFiles(await listLocalFiles(folder), target('grows'), never);
  await expect(refused).rejects.toThrow('growing.log changed while it was uploaded.');
});

it('tells a file that is gone when its turn comes', async () => {
  writeFileSync(path.join(folder, 'rotated.log'), 'line\n');
  const files = await listLocalFiles(folder);
  rmSync(path.join(folder, 'rotated.log'));
  await expect(uploadFiles(files, target('gone'), never)).rejects.toThrow('rotated.log cannot be read (ENOENT).');
});

it('refuses a place where something else lies', async () => {
  await store.put(target('taken').bucket, 'taken/old.log', Buffer.from('x'), 'text/plain');
  writeFileSync(path.join(folder, 'new.log'), 'line\n');
  const refused = uploadFiles(await listLocalFiles(folder), target('taken'), never);
  await expect(refused).rejects.toThrow(/holds other files already/);
});
