import { Readable } from 'node:stream';
import { archiveLayout } from '@backfill/core/storage/layout';
import type { ObjectStore } from '@backfill/core/storage/object-store';
import { eraseSubject } from '@backfill/rollback/jobs/erase-subject';
import { mirrorBatch } from '@backfill/transformer/jobs/mirror-batch';
import { transformChunk } from '@backfill/transformer/jobs/transform-chunk';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { createStepper, type Job, type Stepper } from '../histories/stepper.ts';
import { APP_WINDOW } from '../support/app-logs.ts';
import { createConfigDir, withoutApprovals } from '../support/config-dir.ts';
import { findAnywhere, forget, GONE, mixedFiles, pseudonymsOf } from '../support/forgotten-world.ts';

// A transformer is frozen when it has sent an object, and goes on when its batch has long been erased by others.
vi.setConfig({ testTimeout: 180_000 });
let config: Awaited<ReturnType<typeof createConfigDir>>;
let stepper: Stepper;
beforeAll(async () => {
  config = await createConfigDir((policy) => {
    withoutApprovals(policy);
    Object.assign(policy.gates.default, { duplicate_ratio: 1, max_overlap: 1, schema: 1, max_newly_suppressed: 1 });
  });
});
afterAll(() => config?.remove());
beforeEach(async () => {
  stepper = await createStepper('with the events', { BACKFILL_CONFIG_DIR: config.dir });
});
afterEach(() => stepper?.dispose());

const { signal } = new AbortController();

/** A store whose writes to some key wait, with all of their bytes, and then go through whatever the process has heard since. */
function freezing(store: ObjectStore, keyEnd = ''): { store: ObjectStore; reached: Promise<void>; thaw(): void } {
  const reached = Promise.withResolvers<void>();
  const thawed = Promise.withResolvers<void>();
  const wait = () => {
    reached.resolve();
    return thawed.promise;
  };
  return {
    reached: reached.promise,
    thaw: thawed.resolve,
    store: {
      ...store,
      async putBlocks(bucket, key, content) {
        await wait();
        await store.putBlocks(bucket, key, content);
      },
      async putStreamOnce(bucket, key, body) {
        const bytes = Buffer.concat(await body.toArray());
        if (key.endsWith(keyEnd)) await wait();
        return store.putStreamOnce(bucket, key, Readable.from([bytes], { objectMode: false }));
      },
    },
  };
}

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

async function submit(): Promise<void> {
  const files = { 'a.ndjson': String(mixedFiles(0, 4)['a.ndjson']) };
  await stepper.submit({ batchId: 'first', source: 'app', window: APP_WINDOW }, files);
}

const statusOf = async () =>
  (await stepper.sql.query('select status, row_count::int from analytics.backfill_batches')).rows[0];

const eraseAgain = (erasureId: number) => eraseSubject(stepper.runtime, { v: 1, erasure_id: erasureId }, { signal });

it('leaves no part that it puts back', async () => {
  const { runtime, sql } = stepper;
  await submit();
  const job = await workUpTo('transform');
  const frozen = freezing(runtime.store);
  const zombie = transformChunk({ ...runtime, store: frozen.store }, job.payload, signal);
  await frozen.reached;
  expect(await stepper.halt('first')).toBe(true);
  const { erasureId } = await forget(runtime, GONE);
  await eraseAgain(erasureId);
  expect(await stepper.resume('first')).toBe(true);
  await work();
  const ended = async () =>
    (await sql.query('select ended_at is not null as ended from analytics.backfill_erasures')).rows[0].ended;
  expect(await ended()).toBe(true);

  frozen.thaw();
  await expect(zombie).rejects.toThrow(/batch first (is|was)/);
  // It has put it back, and has said so.
  const people = [GONE, ...pseudonymsOf(runtime, GONE)];
  expect((await findAnywhere(stepper, runtime, people)).length).toBeGreaterThan(0);
  expect(await ended()).toBe(false);
  await eraseAgain(erasureId);
  expect(await ended()).toBe(true);
  expect(await findAnywhere(stepper, runtime, people)).toEqual([]);
  expect(await statusOf()).toEqual({ status: 'awaiting_publish_approval', row_count: 4 });
});

it.each(['a.ndjson', 'manifest.json'])(
  'writes over no %s of a mirror in which others have forgotten somebody',
  async (name) => {
    const { runtime } = stepper;
    await forget(runtime, GONE);
    await submit();
    const job = await workUpTo('mirror');
    const frozen = freezing(runtime.store, name);
    const zombie = mirrorBatch({ ...runtime, store: frozen.store }, job.payload, signal);
    await frozen.reached;
    await stepper.run(job);
    frozen.thaw();
    await expect(zombie).rejects.toThrow();
    const people = [GONE, ...pseudonymsOf(runtime, GONE)];
    expect(await findAnywhere(stepper, runtime, people)).toEqual([]);
    const { archiveBucket } = runtime.config.storage;
    const manifest = await (await runtime.store.get(archiveBucket, archiveLayout.manifest('first'))).toArray();
    expect(JSON.parse(String(Buffer.concat(manifest)))).toMatchObject({ manifest_version: 2 });
    await work();
    expect(await statusOf()).toEqual({ status: 'awaiting_publish_approval', row_count: 4 });
  },
);

it('mirrors a file again that a process has written which died before it said so', async () => {
  const { runtime } = stepper;
  await submit();
  await workUpTo('mirror');
  const { archiveBucket } = runtime.config.storage;
  await runtime.store.put(
    archiveBucket,
    archiveLayout.mirrorObject('first', 'a.ndjson'),
    Buffer.from('{}'),
    'text/plain',
  );
  await work();
  expect(await statusOf()).toEqual({ status: 'awaiting_publish_approval', row_count: 8 });
});
