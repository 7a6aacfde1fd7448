import { hash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { listChunks } from '@backfill/core/db/queries/chunk-list';
import { listMirrorObjects } from '@backfill/core/db/queries/mirror-object-list';
import type { MirrorManifest } from '@backfill/core/plan/mirror-manifest';
import { archiveLayout } from '@backfill/core/storage/layout';
import type { ObjectStore } from '@backfill/core/storage/object-store';
import { eraseSubject } from '@backfill/rollback/jobs/erase-subject';
import { mirrorBatch } from '@backfill/transformer/jobs/mirror-batch';
import { afterEach, expect, it, vi } from 'vitest';
import { createStepper, type Job, type Stepper } from '../histories/stepper.ts';
import { APP_WINDOW } from '../support/app-logs.ts';
import { createConfigDir, withoutApprovals } from '../support/config-dir.ts';
import { findAnywhere, forget, GONE, personLine, pseudonymsOf, STAYS } from '../support/forgotten-world.ts';

// Every erasure of a batch makes a version of its manifest, which names the one before it and says what the mirror is.
vi.setConfig({ testTimeout: 180_000 });
let config: Awaited<ReturnType<typeof createConfigDir>>;
let stepper: Stepper;
async function start(region: string): Promise<void> {
  config = await createConfigDir((policy) => {
    withoutApprovals(policy);
    Object.assign(policy.gates.default, { duplicate_ratio: 1, max_overlap: 1, schema: 1, max_newly_suppressed: 1 });
  });
  await config.editSource('app', (source) => Object.assign(source, { region }));
  stepper = await createStepper('with the events', {
    BACKFILL_CONFIG_DIR: config.dir,
    TRANSFORMER_CHUNK_BYTES: '300',
  });
}
afterEach(async () => {
  await stepper?.dispose();
  await config?.remove();
});

const { signal } = new AbortController();

async function workUpTo(kind: string): Promise<Job> {
  for (;;) {
    const [due] = await stepper.dueJobs('first');
    if (due === undefined) throw new Error(`nothing up to ${kind}`);
    if (due.kind === kind) return due;
    await stepper.run(due);
  }
}

async function work(): Promise<void> {
  for (let [due] = await stepper.dueJobs('first'); due !== undefined; [due] = await stepper.dueJobs('first')) {
    await stepper.run(due);
  }
}

async function erase(id: string): Promise<void> {
  const { erasureId } = await forget(stepper.runtime, id);
  await eraseSubject(stepper.runtime, { v: 1, erasure_id: erasureId }, { signal });
  const { rows } = await stepper.sql.query(
    'select ended_at is not null as ended from analytics.backfill_erasures where erasure_id = $1',
    [erasureId],
  );
  expect(rows).toEqual([{ ended: true }]);
}

async function read(key: string): Promise<Buffer> {
  const { store, config: settings } = stepper.runtime;
  return Buffer.concat(await (await store.get(settings.storage.archiveBucket, key)).toArray());
}

/** Reads all versions, the newest first, each by what the newer one says of it. */
async function readVersions(): Promise<MirrorManifest[]> {
  const versions: MirrorManifest[] = [JSON.parse(String(await read(archiveLayout.manifest('first'))))];
  for (let parent = versions[0]?.parent; parent !== undefined; parent = versions.at(-1)?.parent) {
    const bytes = await read(archiveLayout.mirrorPrefix('first') + parent.key);
    expect(hash('sha256', bytes, 'hex')).toBe(parent.sha256);
    const version: MirrorManifest = JSON.parse(String(bytes));
    expect(version.checksum).toBe(parent.checksum);
    versions.push(version);
  }
  return versions;
}

/** The mirror is as the newest of so many versions says, and so are the books about it. */
async function expectVersions(count: number, mirrored: readonly string[]): Promise<void> {
  const { pool } = stepper.runtime;
  const versions = await readVersions();
  expect(versions.map((version) => version.manifest_version ?? 1)).toEqual(
    Array.from({ length: count }, (_, index) => count - index),
  );
  const [newest] = versions;
  const oldest = versions.at(-1);
  expect(newest?.raw_checksum).toBe(oldest?.raw_checksum ?? oldest?.checksum);
  const { rows: erased } = await stepper.sql.query<{ file_no: number; n: number }>(
    'select file_no, count(*)::int as n from analytics.backfill_erased_lines group by 1',
  );
  const chunks = await listChunks(pool, 'first');
  for (const file of await listMirrorObjects(pool, 'first')) {
    const { file_no: fileNo, source_file: key, size, sha256, compression } = file;
    const object = newest?.objects.find((one) => one.key === key);
    expect(object).toMatchObject({ size, sha256 });
    expect(object?.erased_lines).toBe(erased.find((one) => one.file_no === fileNo)?.n);
    if (!mirrored.includes(key)) continue;
    const bytes = await read(archiveLayout.mirrorObject('first', key));
    expect({ size: bytes.length, sha256: hash('sha256', bytes, 'hex') }).toEqual({ size, sha256 });
    if (compression !== 'none') continue;
    const text = String(bytes[0] === 0x1f ? gunzipSync(bytes) : bytes);
    const ofFile = chunks.filter((chunk) => chunk.file_no === fileNo);
    expect(ofFile.length).toBeGreaterThan(1);
    expect(ofFile.map((chunk) => text.slice(0, chunk.byte_start).split('\n').length)).toEqual(
      ofFile.map((chunk) => chunk.first_line),
    );
    expect(ofFile.map((chunk) => chunk.byte_end)).toEqual([
      ...ofFile.slice(1).map((chunk) => chunk.byte_start),
      bytes.length,
    ]);
  }
}

const linesOf = (first: number) =>
  Array.from({ length: 4 }, (_, index) =>
    [GONE, STAYS].map((person) => `${personLine(person, first + index)}\n`).join(''),
  ).join('');

it.each(['eu', 'non-eu'])('counts on from a mirror that is half made, of a source from %s', async (region) => {
  await start(region);
  const { runtime } = stepper;
  const files = { 'a.ndjson': linesOf(0), 'b.ndjson': linesOf(4) };
  await stepper.submit({ batchId: 'first', source: 'app', window: APP_WINDOW }, files);
  const job = await workUpTo('mirror');
  const half: ObjectStore = {
    ...runtime.store,
    async putStreamOnce(bucket, key, body) {
      if (key.endsWith('b.ndjson')) throw new Error('broken off');
      return runtime.store.putStreamOnce(bucket, key, body);
    },
  };
  await expect(mirrorBatch({ ...runtime, store: half }, job.payload, signal)).rejects.toThrow('broken off');
  expect(await stepper.halt('first')).toBe(true);
  await erase(GONE);
  await expectVersions(2, ['a.ndjson']);

  expect(await stepper.resume('first')).toBe(true);
  await work();
  await expectVersions(3, Object.keys(files));

  await erase(STAYS);
  await work();
  await expectVersions(4, Object.keys(files));
  // There is nothing left to say.
  await erase(GONE);
  await expectVersions(4, Object.keys(files));
  const people = [GONE, STAYS].flatMap((id) => [id, ...pseudonymsOf(runtime, id)]);
  expect(await findAnywhere(stepper, runtime, people)).toEqual([]);
});
