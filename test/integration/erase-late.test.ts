import { hash } from 'node:crypto';
import { Readable } from 'node:stream';
import { getBatch } from '@backfill/core/db/queries/batch-get';
import { holdBatchAtRest } from '@backfill/core/db/queries/batch-hold-at-rest';
import { listMirrorObjects } from '@backfill/core/db/queries/mirror-object-list';
import { eraseInBatch } from '@backfill/core/erasure/erase-batch';
import { finishErasureObjects } from '@backfill/core/erasure/finish-objects';
import { StaleWorkError } from '@backfill/core/errors';
import type { MirrorManifest } from '@backfill/core/plan/mirror-manifest';
import { keyRingOf } from '@backfill/core/runtime/keyed-runtime';
import { archiveLayout } from '@backfill/core/storage/layout';
import type { ObjectStore } from '@backfill/core/storage/object-store';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { createStepper, type Stepper } from '../histories/stepper.ts';
import { APP_WINDOW } from '../support/app-logs.ts';
import { createConfigDir, withoutApprovals } from '../support/config-dir.ts';
import { findAnywhere, forget, GONE, mixedFiles, pseudonymsOf, STAYS } from '../support/forgotten-world.ts';

// An eraser is frozen when it has sent an object, and goes on when others have forgotten more people in the batch.
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
  await stepper.submit(
    { batchId: 'first', source: 'app', window: APP_WINDOW },
    { 'a.ndjson': String(mixedFiles(0, 4)['a.ndjson']) },
  );
  await work();
});
afterEach(() => stepper?.dispose());

const { signal } = new AbortController();
const NOBODY = 'visitor-nobody-3d1e';

async function work(): Promise<void> {
  for (let [due] = await stepper.dueJobs('first'); due !== undefined; [due] = await stepper.dueJobs('first')) {
    await stepper.run(due);
  }
}

/** Forgets somebody in the batch, as the job does. */
async function erase(id: string, store: ObjectStore = stepper.runtime.store): Promise<void> {
  const { runtime } = stepper;
  const { erasureId, pseudonyms } = await forget(runtime, id);
  const batch = await getBatch(runtime.pool, 'first');
  if (batch === undefined) throw new Error('no batch');
  const people = new Map(pseudonyms.map((name) => [name, erasureId]));
  const { pool, config: settings } = runtime;
  const failures = await eraseInBatch(
    { pool, store, config: settings, keys: keyRingOf(settings), people, signal },
    {
      ...{ batch, erasureId, pseudonyms },
      async hold(client) {
        if ((await holdBatchAtRest(client, batch)) === undefined) throw new StaleWorkError('moved on');
      },
    },
  );
  expect(failures).toEqual([]);
}

/**
 * A store whose first write of a kind waits, with all of its bytes, and goes through whatever its process has heard since; or
 * where the process waits when it has gone through.
 */
function freezing(when: 'before the put' | 'after the put' | 'before the move') {
  const { store } = stepper.runtime;
  const reached = Promise.withResolvers<void>();
  const thawed = Promise.withResolvers<void>();
  const wait = async () => {
    reached.resolve();
    await thawed.promise;
  };
  const hold = async (body: Readable) => {
    const bytes = Buffer.concat(await body.toArray());
    await wait();
    return Readable.from([bytes], { objectMode: false });
  };
  const ways: Record<typeof when, Partial<ObjectStore>> = {
    'before the put': { putStream: async (bucket, key, body) => store.putStream(bucket, key, await hold(body)) },
    'after the put': {
      async putStream(bucket, key, body) {
        await store.putStream(bucket, key, body);
        await wait();
      },
    },
    'before the move': {
      replaceStream: async (bucket, key, body, etag) => store.replaceStream(bucket, key, await hold(body), etag),
    },
  };
  return { store: { ...store, ...ways[when] }, reached: reached.promise, thaw: thawed.resolve };
}

async function read(key: string): Promise<Buffer> {
  const { store, config: settings } = stepper.runtime;
  return Buffer.concat(await (await store.get(settings.storage.archiveBucket, key)).toArray());
}

/** The mirror is as the books and the manifest say, and nobody of these is anywhere. */
async function expectForgotten(...ids: string[]): Promise<void> {
  const { runtime } = stepper;
  const manifest: MirrorManifest = JSON.parse(String(await read(archiveLayout.manifest('first'))));
  for (const { source_file, sha256, size } of await listMirrorObjects(runtime.pool, 'first')) {
    const bytes = await read(archiveLayout.mirrorObject('first', source_file));
    expect({ sha256: hash('sha256', bytes, 'hex'), size: bytes.length }).toEqual({ sha256, size });
    expect(manifest.objects.find((object) => object.key === source_file)).toMatchObject({ sha256, size });
  }
  const people = ids.flatMap((id) => [id, ...pseudonymsOf(runtime, id)]);
  expect(await findAnywhere(stepper, runtime, people)).toEqual([]);
  const left: string[] = [];
  const prefix = archiveLayout.erasingPrefix('first');
  for await (const { key } of runtime.store.list(runtime.config.storage.archiveBucket, prefix)) left.push(key);
  expect(left).toEqual([]);
}

/** Does what has been looked through again, and was not: by erasures that had ended. */
async function eraseAgain(...ids: string[]): Promise<void> {
  await work();
  for (const id of ids) {
    await erase(id);
    await work();
  }
}

/** Whose pseudonyms are to be looked for in the batch once more. */
async function reopened(): Promise<string[]> {
  const { rows } = await stepper.sql.query<{ pseudonyms: string[] }>(
    `select e.pseudonyms from analytics.backfill_erasures e join analytics.backfill_erasure_batches b using (erasure_id)
      where b.erased_at is null`,
  );
  return rows.flatMap((row) => row.pseudonyms);
}

it('takes nothing for prepared that one has sent who was frozen', async () => {
  const late = freezing('before the put');
  const zombie = erase(GONE, late.store);
  await late.reached;
  const { runtime } = stepper;
  // The newer one has prepared and committed, and is about to move, when the older one's object arrives.
  let ended: Promise<unknown> | undefined;
  const newer: ObjectStore = {
    ...runtime.store,
    async get(bucket, key, options) {
      if (key.startsWith(archiveLayout.erasingPrefix('first')) && ended === undefined) {
        late.thaw();
        ended = expect(zombie).rejects.toThrow(StaleWorkError);
        await ended;
      }
      return runtime.store.get(bucket, key, options);
    },
  };
  await erase(STAYS, newer);
  expect(ended).toBeDefined();
  await work();
  const { rows } = await stepper.sql.query(
    'select sum(line_count - suppressed)::int as left from analytics.backfill_import_parts',
  );
  expect(rows).toEqual([{ left: 5 }]);
  await eraseAgain(GONE, STAYS);
  await expectForgotten(GONE, STAYS);
});

it('enters nothing in the books that a newer one has taken for strays', async () => {
  const late = freezing('after the put');
  const zombie = erase(GONE, late.store);
  await late.reached;
  await erase(NOBODY);
  late.thaw();
  await expect(zombie).rejects.toThrow('was taken away by another process');
  // What the late one has left is looked for again.
  expect(await reopened()).toEqual(pseudonymsOf(stepper.runtime, NOBODY));
  await eraseAgain(GONE, NOBODY);
  await expectForgotten(GONE);
});

it('puts nothing old in the place of what newer ones have written', async () => {
  const { runtime, sql } = stepper;
  const late = freezing('before the move');
  const zombie = expect(erase(GONE, late.store)).rejects.toThrow();
  await late.reached;
  // The server has given it up by then.
  const { rowCount } = await sql.query(
    `select pg_terminate_backend(l.pid) from pg_locks l
      where l.relation = 'analytics.backfill_erasure_objects'::regclass and l.mode = 'RowShareLock'`,
  );
  expect(rowCount).toBe(1);
  await finishErasureObjects({ ...runtime, signal });
  await eraseAgain(STAYS);
  late.thaw();
  await zombie;
  await expectForgotten(GONE, STAYS);
});
