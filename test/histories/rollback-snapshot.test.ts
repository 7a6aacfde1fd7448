import { loadSnapshot } from '@backfill/rollback/snapshot/load-snapshot';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { createConfigDir, withoutApprovals } from '../support/config-dir.ts';
import { runPsql, runPsqlScript } from '../support/psql.ts';
import { startServiceProcess } from '../support/service-process.ts';
import { waitFor } from '../support/wait-for.ts';
import { createPublishWorld, type PublishWorld } from './publish-world.ts';
import { createRollbackWorld, type RollbackWorld } from './rollback-world.ts';
import { createStepper, type Stepper } from './stepper.ts';

// The snapshot of a rollback: the object, its load, and who and what does not come back with it.
let config: Awaited<ReturnType<typeof createConfigDir>>;
beforeAll(async () => {
  config = await createConfigDir((policy) => {
    withoutApprovals(policy);
    Object.assign(policy.gates.default, { duplicate_ratio: 1, max_overlap: 1, schema: 1 });
  });
});
afterAll(() => config.remove());

let stepper: Stepper;
let world: PublishWorld;
let undo: RollbackWorld;
beforeEach(async () => {
  stepper = await createStepper('with the events', { BACKFILL_CONFIG_DIR: config.dir });
  world = createPublishWorld(stepper);
  undo = createRollbackWorld(stepper, world);
});
afterEach(() => stepper.dispose());

const CALL = (batchId: string) => `call analytics.restore_snapshot(p_batch_id := '${batchId}')`;

it('is refused when the object is another one or gone, with what to do, and taken once it is back', async () => {
  const [lost = ''] = await undo.deliverLive(100, 110);
  await undo.publish('b', 0, 5);
  await undo.takeAway([lost]);
  const {
    store,
    config: { storage },
  } = stepper.runtime;
  const [done] = await world.publishes('b');
  const key = done?.snapshot_path?.replace(`s3://${storage.archiveBucket}/`, '') ?? '';
  const right = Buffer.concat(await (await store.get(storage.archiveBucket, key)).toArray());
  await stepper.rollBack('b', 'snapshot');
  const job = await undo.rollbackJob('b');
  for (const wrong of [right.subarray(0, -1), Buffer.concat([right, right]), Buffer.from('{}\n')]) {
    await store.put(storage.archiveBucket, key, wrong, 'application/gzip');
    await expect(stepper.run(job)).rejects.toThrow(
      /is not what the publish has written there\. Put back the object .*--mode tombstone takes the batch back without it/,
    );
  }
  expect(await undo.snapshotTables()).toBe(0);
  expect(await world.liveRows('b')).toBe(5);
  await store.put(storage.archiveBucket, key, right, 'application/gzip');
  expect(await stepper.run(job)).toBe(true);
  expect((await undo.liveRows()).has(lost)).toBe(true);
});

it('that is gone does not keep a batch from being taken back by tombstones', async () => {
  await undo.publish('b', 0, 5);
  await stepper.sql.query(
    `update analytics.backfill_publishes set snapshot_path = snapshot_path || '.gone' where batch_id = 'b'`,
  );
  await stepper.rollBack('b', 'snapshot');
  const job = await undo.rollbackJob('b');
  await expect(stepper.run(job)).rejects.toThrow(/cannot be read\. Put back/);
  // From psql, while the service still tries.
  await runPsqlScript(undo.url(), 'backfill_apply_tombstones.sql', { batch_id: 'b' });
  expect(await undo.proofOf('b')).toMatchObject({ mode: 'tombstone', tombstoned: 5, snapshot: null });
  // Now there is no snapshot to restore any more.
  await expect(stepper.sql.query(CALL('b'))).rejects.toMatchObject({
    message: 'batch b was rolled back already, by the mode tombstone',
    hint: expect.stringContaining('./backfill resume b'),
  });
});

it('that is gone holds the rollback up with an incident, until it is back', async () => {
  await undo.publish('b', 0, 5);
  const { store, config } = stepper.runtime;
  const bucket = config.storage.archiveBucket;
  const [done] = await world.publishes('b');
  const key = done?.snapshot_path?.replace(`s3://${bucket}/`, '') ?? '';
  const right = Buffer.concat(await (await store.get(bucket, key)).toArray());
  await store.put(bucket, key, Buffer.from('gone'), 'application/gzip');
  await stepper.rollBack('b', 'snapshot');
  const service = startServiceProcess('rollback', stepper.env);
  const { summary } = await waitFor('an incident', async () => {
    const { rows } = await stepper.sql.query<{ summary: string }>(
      `select summary from analytics.backfill_incidents where batch_id = 'b' and kind = 'rollback_stuck'`,
    );
    return rows[0];
  });
  expect(summary).toMatch(
    /^snapshot: the snapshot s3:.* is not what the publish has written there\. Put back the object/,
  );
  expect(await world.statusOf('b')).toBe('rolling_back');
  await store.put(bucket, key, right, 'application/gzip');
  await waitFor('the batch to be rolled back', async () =>
    (await world.statusOf('b')) === 'rolled_back' ? true : undefined,
  );
  await service.end('SIGTERM');
}, 120_000);

it('is asked for in psql when it is not loaded: nothing happens, and the next step is told', async () => {
  await undo.publish('b', 0, 5);
  await expect(runPsql(undo.url(), CALL('b'))).rejects.toThrow(
    /the snapshot of batch b is not loaded\n.*\.\/backfill rollback b --mode snapshot loads the snapshot and goes on/,
  );
  await expect(runPsql(undo.url(), CALL('nobody'))).rejects.toThrow(/unknown batch nobody/);
  await expect(stepper.sql.query('call analytics.restore_snapshot(p_batch_id := null)')).rejects.toThrow(
    /unknown batch/,
  );
  expect(await world.statusOf('b')).toBe('published');
  expect(await world.liveRows('b')).toBe(5);
});

it('that a service has loaded is restored from psql, and loaded anew when PostgreSQL has lost it', async () => {
  const [lost = ''] = await undo.deliverLive(100, 110);
  await undo.publish('b', 0, 5);
  await undo.takeAway([lost]);
  await stepper.rollBack('b', 'snapshot');
  const { payload } = await undo.rollbackJob('b');
  const load = () => loadSnapshot(stepper.runtime, payload, new AbortController().signal);
  await load();
  const { table_name } = await world.one<{ table_name: string }>(
    'select table_name from analytics.backfill_snapshot_loads',
  );
  // As it is after a crash.
  await stepper.sql.query(`truncate analytics.${table_name}`);
  await expect(runPsql(undo.url(), CALL('b'))).rejects.toThrow(
    /of the snapshot of batch b only 0 of 10 rows are loaded/,
  );
  await load();
  await load();
  expect(await undo.snapshotTables()).toBe(1);
  expect(await runPsql(undo.url(), CALL('b'))).toContain('"restored": 1');
  expect((await undo.liveRows()).has(lost)).toBe(true);
  expect(await undo.snapshotTables()).toBe(0);
  expect(await world.workOff('b')).toBe('rolled_back');
});

it('brings nobody back who is suppressed while the rollback waits', async () => {
  const [lost = '', other = ''] = await undo.deliverLive(100, 110);
  await undo.publish('b', 0, 5);
  await undo.takeAway([lost, other]);
  const person = await world.connect();
  await person.query('begin');
  await person.query(
    `insert into analytics.privacy_suppressions (subject_id, reason)
       select subject_id, 'objection' from analytics.events_log where event_id = $1`,
    [lost],
  );
  await stepper.rollBack('b', 'snapshot');
  const rollingBack = world.workOff('b');
  await waitFor('the rollback to wait', async () => {
    const { rowCount } = await stepper.sql.query(
      `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and wait_event = 'relation'`,
    );
    return rowCount === 1 || undefined;
  });
  await person.query('commit');
  await person.end();
  expect(await rollingBack).toBe('rolled_back');
  expect([(await undo.liveRows()).has(lost), (await undo.liveRows()).has(other)]).toEqual([false, true]);
  expect((await undo.proofOf('b')).snapshot).toMatchObject({ restored: 1, suppressed: 1 });
});

it('brings nothing back that is older than events are kept, but for an exception', async () => {
  const [lost = ''] = await undo.deliverLive(100, 110);
  await undo.publish('a', 200, 205);
  await undo.publish('b', 0, 5);
  const [lostOfA = ''] = await undo.keysOf('a');
  await undo.takeAway([lost, lostOfA]);
  await stepper.sql.query(`
      alter table analytics.backfill_plans disable trigger all;
      update analytics.backfill_plans set plan = jsonb_set(plan, '{policy,retention,event_months}', '0') where batch_id = 'b';
      update analytics.backfill_plans set plan = jsonb_set(plan, '{retentionException}',
        '{"why": "law", "until": "2999-01-01T00:00:00Z"}') where batch_id = 'a'`);
  await stepper.rollBack('b', 'snapshot');
  await world.workOff('b');
  expect([(await undo.liveRows()).has(lost), (await undo.liveRows()).has(lostOfA)]).toEqual([false, true]);
  expect((await undo.proofOf('b')).snapshot).toMatchObject({ restored: 1, expired: 1 });
});

// The chaos suite comes to the other moments.
it.each(['rollback:filled', 'rollback:loaded', 'rollback:written'])(
  'is restored by another process when the first one is killed at %s',
  async (crashAt) => {
    const [lost = ''] = await undo.deliverLive(100, 110);
    await undo.publish('b', 0, 5);
    await undo.takeAway([lost]);
    await stepper.rollBack('b', 'snapshot');
    expect(await startServiceProcess('rollback', stepper.env, crashAt).ended).toBe('SIGKILL');
    const next = startServiceProcess('rollback', stepper.env);
    await waitFor('the batch to be rolled back', async () =>
      (await world.statusOf('b')) === 'rolled_back' ? true : undefined,
    );
    await next.end('SIGTERM');
    expect((await undo.liveRows()).has(lost)).toBe(true);
    expect((await undo.proofOf('b')).snapshot).toMatchObject({ rows: 10, kept: 9, restored: 1 });
    expect(await undo.snapshotTables()).toBe(0);
  },
  120_000,
);
