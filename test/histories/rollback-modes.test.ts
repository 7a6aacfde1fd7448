import { getBatch } from '@backfill/core/db/queries/batch-get';
import { setRollbackMode } from '@backfill/core/db/queries/batch-set-status';
import { withTransaction } from '@backfill/core/db/transaction';
import { enqueueOpenWork } from '@backfill/core/dispatch/change-status';
import { freeReleasedKeys } from '@backfill/core/dispatch/free-keys';
import { ROLLBACK_MODES, type RollbackMode } from '@backfill/core/domain/rollback-mode';
import { loadSnapshot } from '@backfill/rollback/snapshot/load-snapshot';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createConfigDir, withoutApprovals } from '../support/config-dir.ts';
import { KEY_LAYOUTS, type KeyLayout } from '../support/environment.ts';
import { keysFreed } from '../support/keys-freed.ts';
import { runPsql, runPsqlScript } from '../support/psql.ts';
import { startServiceProcess } from '../support/service-process.ts';
import { waitFor } from '../support/wait-for.ts';
import { COLUMNS, createPublishWorld, lineOf, type PublishWorld } from './publish-world.ts';
import { createStepper, type Stepper } from './stepper.ts';

// A rollback in its modes: what goes, what comes back, what stays, and what the proof says of it.
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
async function begin(layout: KeyLayout): Promise<void> {
  stepper = await createStepper(layout, { BACKFILL_CONFIG_DIR: config.dir });
  world = createPublishWorld(stepper);
}
afterEach(() => stepper.dispose());

const lines = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, at) => lineOf(from + at, `u${from + at}`));

async function publish(batchId: string, from: number, to: number): Promise<void> {
  expect(await world.submit(batchId, lines(from, to))).toBe('awaiting_publish_approval');
  await world.go(batchId);
  expect(await world.workOff(batchId)).toBe('published');
}

/** Events that live ingestion delivers, in the order of their ids. */
async function deliverLive(from: number, to: number): Promise<string[]> {
  const name = `live-${from}`;
  await world.submit(name, lines(from, to));
  const { rows } = await stepper.sql.query<{ event_id: string }>(
    `insert into analytics.events (${COLUMNS})
     select ${COLUMNS} from analytics.events_backfill_staging where batch_id = $1 order by event_id returning event_id`,
    [name],
  );
  return rows.map(({ event_id }) => event_id).sort();
}

/** Every live row in full, by its id. */
async function liveRows(): Promise<Map<string, string>> {
  const { rows } = await stepper.sql.query<{ event_id: string; row: string }>(
    'select event_id, l::text as row from analytics.events_log l where deleted_at is null order by 1',
  );
  return new Map(rows.map(({ event_id, row }) => [event_id, row]));
}

const proofOf = (batchId: string) =>
  world.one<Record<string, unknown> & { snapshot: Record<string, unknown> | null }>(
    `select mode, tombstoned::int, keys_freed::int, live_rows_after::int, keys_after::int, left_outside::int,
            jobs_after::int, others_before, others_after, others_recent::int, snapshot
       from analytics.backfill_rollbacks where batch_id = $1 order by rollback_id desc limit 1`,
    batchId,
  );

const takeAway = (ids: readonly string[]) =>
  stepper.sql.query(
    'update analytics.events_log set deleted_at = now() where event_id = any ($1) and deleted_at is null',
    [ids],
  );

const suppress = (eventIds: readonly string[]) =>
  stepper.sql.query(
    `insert into analytics.privacy_suppressions (subject_id, reason)
     select distinct subject_id, 'objection' from analytics.events_log where event_id = any ($1)`,
    [eventIds],
  );

const keysOf = async (batchId: string) =>
  (
    await stepper.keys.query<{ event_id: string }>(
      'select event_id from analytics.backfill_event_checkpoint where batch_id = $1 order by 1',
      [batchId],
    )
  ).rows.map(({ event_id }) => event_id);

const url = () => stepper.env.DATABASE_URL ?? '';
const CALL = (batchId: string) => `call analytics.restore_snapshot(p_batch_id := '${batchId}')`;

/** As the services do after a rollback from psql. */
const freeKeys = () => freeReleasedKeys(stepper.runtime.pool, stepper.runtime.keyStore);

/** The job of a rollback that is under way. */
async function rollbackJob(batchId: string) {
  const [job] = await stepper.dueJobs(batchId);
  if (job === undefined) throw new Error(`nothing is due for ${batchId}`);
  return job;
}

async function snapshotTables(): Promise<number> {
  const { n } = await world.one<{ n: number }>(
    `select count(*)::int as n from pg_class c where relname ~ '^backfill_snapshot_[0-9]+$'`,
  );
  const { loads } = await world.one<{ loads: number }>(
    'select count(*)::int as loads from analytics.backfill_snapshot_loads',
  );
  expect(n).toBe(loads);
  return n;
}

describe.each(KEY_LAYOUTS)('the dedup store %s', (layout) => {
  beforeEach(() => begin(layout));

  it.each(['service', 'psql'])('takes back what is in the window, and leaves the rest, by %s', async (by) => {
    const others = await deliverLive(100, 110);
    await publish('b', 0, 20);
    // What only a hand can have written.
    const outside = 'app:20261105000000000:\\x00';
    await stepper.sql.query(
      `insert into analytics.events_log (${COLUMNS}, batch_id)
       select '${outside}', source, event_name, schema_version, '2026-11-05Z', session_id, subject_id, payload, 'b'
         from analytics.events_log where batch_id = 'b' limit 1`,
    );
    await stepper.keys.query(
      `insert into analytics.backfill_event_checkpoint (event_id, batch_id) values ('${outside}', 'b')`,
    );
    if (by === 'psql') {
      expect(await runPsqlScript(url(), 'backfill_revert.sql', { batch_id: 'b' })).toMatch(/ b +\| +1 \| +20 \|/);
    } else {
      await stepper.rollBack('b', 'window');
      expect(await world.workOff('b')).toBe('rolled_back');
    }
    const settled = async (freed: number, left: number) => {
      if (layout === 'in a database of its own' && by === 'psql') await freeKeys();
      await keysFreed({ ...stepper, dispose: async () => undefined }, 'b');
      expect(await proofOf('b')).toMatchObject({ keys_freed: freed, keys_after: 0, left_outside: left, jobs_after: 0 });
    };
    await settled(20, 1);
    const proof = await proofOf('b');
    expect(proof).toMatchObject({ mode: 'window', tombstoned: 20, live_rows_after: 0, others_recent: 0 });
    expect([proof.others_after, String(proof.others_after).split(':')[0]]).toEqual([proof.others_before, '10']);
    expect([...(await liveRows()).keys()]).toEqual([...others, outside].sort());
    expect(await keysOf('b')).toEqual([outside]);

    // Repeated, it says the same; tombstones take the rest.
    const again = await runPsqlScript(url(), 'backfill_revert.sql', { batch_id: 'b' });
    expect(again).toMatch(/ b +\| +1 \| +20 \| +20 \| +0 \| +0 \| +1 \|/);
    await runPsqlScript(url(), 'backfill_apply_tombstones.sql', { batch_id: 'b' });
    if (layout === 'in a database of its own') await freeKeys();
    expect(await proofOf('b')).toMatchObject({ mode: 'tombstone', tombstoned: 1, keys_freed: 1, left_outside: 0 });
    expect([...(await liveRows()).keys()]).toEqual(others);
    expect(await keysOf('b')).toEqual([]);
  });

  it('restores the window as it was, without what may not come back, and leaves what came since', async () => {
    const live = await deliverLive(100, 110);
    await publish('a', 200, 205);
    await publish('gone', 300, 303);
    const before = await liveRows();
    await publish('b', 0, 20);
    const [lost = '', deleted = '', suppressed = '', stillLive = ''] = live;
    const [lostOfA = ''] = await keysOf('a');
    await suppress([suppressed, stillLive]);
    await takeAway([lost, suppressed, lostOfA]);
    await stepper.sql.query('delete from analytics.events_log where event_id = $1', [deleted]);
    await stepper.rollBack('gone', 'tombstone');
    await world.workOff('gone');
    const since = await deliverLive(400, 402);
    await publish('c', 500, 503);
    const after = await liveRows();

    await stepper.rollBack('b', 'snapshot');
    expect(await world.workOff('b')).toBe('rolled_back');
    const expected = new Map([...before, ...after].filter(([, row]) => !row.includes(',b,')));
    for (const [id] of before) if (id === suppressed || (before.get(id) ?? '').includes(',gone,')) expected.delete(id);
    expect(await liveRows()).toEqual(expected);
    expect([...expected.keys()]).toEqual(expect.arrayContaining([lost, deleted, lostOfA, stillLive, ...since]));

    const proof = await proofOf('b');
    expect(proof).toMatchObject({
      mode: 'snapshot',
      tombstoned: 20,
      keys_freed: 20,
      live_rows_after: 0,
      jobs_after: 0,
    });
    expect(proof.others_after).toBe(proof.others_before);
    expect(proof.others_recent).toBe(3);
    const [done] = await world.publishes('b');
    expect(proof.snapshot).toMatchObject({
      ...{ publish_id: Number(done?.publish_id), path: done?.snapshot_path, sha256: done?.snapshot_sha256 },
      ...{ rows: 18, kept: 11, restored: 3, suppressed: 1, expired: 0, taken_back: 3, own: 0 },
      since: { '(live)': 2, c: 3 },
    });
    expect(proof.snapshot?.since_examples).toEqual([...since, ...(await keysOf('c'))].sort());
    expect(await snapshotTables()).toBe(0);
    expect(await keysOf('b')).toEqual([]);

    // Again, by hand too: nothing happens.
    const { rows } = await stepper.sql.query<{ proof: { rollback_id: number; mode: string } }>(CALL('b'));
    expect(rows[0]?.proof.mode).toBe('snapshot');
    expect(await liveRows()).toEqual(expected);
    await stepper.resume('b');
    expect(await world.workOff('b')).toBe('awaiting_publish_approval');
  });
});

/** Another mode than the one that a batch is being rolled back by. */
async function askFor(batchId: string, mode: RollbackMode): Promise<void> {
  await withTransaction(stepper.runtime.pool, 'test', async (client) => {
    await setRollbackMode(client, batchId, mode, mode);
    const batch = await getBatch(client, batchId);
    if (batch !== undefined) await enqueueOpenWork(client, batch);
  });
}

describe('the proof', () => {
  beforeEach(() => begin('with the events'));

  it('lets nothing be done when a row of somebody else would be touched', async () => {
    const [first = ''] = await deliverLive(100, 110);
    await publish('b', 0, 5);
    // A bug: it changes no number, and no id.
    await stepper.sql.query(`
      create function pg_temp_touch() returns trigger language plpgsql as $$ begin
        update analytics.events_log set session_id = 'x' where event_id = '${first}';
        return null;
      end $$;
      create trigger touch after update on analytics.events_log for each statement
        when (pg_trigger_depth() = 0) execute function pg_temp_touch()`);
    const before = await liveRows();
    await stepper.rollBack('b', 'tombstone');
    for (const mode of ROLLBACK_MODES) {
      await askFor('b', mode);
      await expect(world.workOff('b')).rejects.toThrow(
        /while b was rolled back, other rows of its window were changed/,
      );
      expect(await liveRows()).toEqual(before);
      expect(await world.statusOf('b')).toBe('rolling_back');
    }
    await stepper.sql.query('drop trigger touch on analytics.events_log');
    await askFor('b', 'window');
    expect(await world.workOff('b')).toBe('rolled_back');
  });

  it('tells what was written meanwhile, and is not put off by it', async () => {
    await deliverLive(100, 110);
    await world.submit('late', lines(600, 602));
    await publish('b', 0, 5);
    const holder = await world.connect();
    await holder.query('begin');
    await holder.query(`select 1 from analytics.events_log where batch_id = 'b' for update`);
    await stepper.rollBack('b', 'tombstone');
    const rollingBack = world.workOff('b');
    await world.waiting();
    await stepper.sql.query(
      `insert into analytics.events (${COLUMNS}) select ${COLUMNS} from analytics.events_backfill_staging where batch_id = 'late'`,
    );
    await holder.query('commit');
    await holder.end();
    expect(await rollingBack).toBe('rolled_back');
    const proof = await proofOf('b');
    expect([proof.others_after, proof.others_recent]).toEqual([proof.others_before, 2]);
    expect(String(proof.others_before)).toMatch(/^10:/);
  });

  it('stands in report and audit log', async () => {
    await publish('b', 0, 5);
    await stepper.rollBack('b', 'snapshot');
    await world.workOff('b');
    const proof = { mode: 'snapshot', tombstoned: 5, others_before: '0:0', others_after: '0:0', jobs_after: 0 };
    expect(await world.report('b')).toMatchObject({ rollback: { ...proof, snapshot: { rows: 0, restored: 0 } } });
    const { detail } = await world.one<{ detail: unknown }>(
      `select detail from analytics.backfill_audit_log where batch_id = 'b' and action = 'rollback'`,
    );
    expect(detail).toMatchObject({ ...proof, snapshot: { rows: 0, restored: 0 } });
  });
});

describe('a snapshot', () => {
  beforeEach(() => begin('with the events'));

  it('is refused when the object is another one or gone, with what to do, and taken once it is back', async () => {
    const [lost = ''] = await deliverLive(100, 110);
    await publish('b', 0, 5);
    await takeAway([lost]);
    const {
      store,
      config: { storage },
    } = stepper.runtime;
    const [done] = await world.publishes('b');
    const key = done?.snapshot_path?.replace(`s3://${storage.archiveBucket}/`, '') ?? '';
    const right = Buffer.concat(await (await store.get(storage.archiveBucket, key)).toArray());
    await stepper.rollBack('b', 'snapshot');
    const job = await rollbackJob('b');
    for (const wrong of [right.subarray(0, -1), Buffer.concat([right, right]), Buffer.from('{}\n')]) {
      await store.put(storage.archiveBucket, key, wrong, 'application/gzip');
      await expect(stepper.run(job)).rejects.toThrow(
        /is not what the publish has written there\. Put back the object .*--mode tombstone takes the batch back without it/,
      );
    }
    expect(await snapshotTables()).toBe(0);
    expect(await world.liveRows('b')).toBe(5);
    await store.put(storage.archiveBucket, key, right, 'application/gzip');
    expect(await stepper.run(job)).toBe(true);
    expect((await liveRows()).has(lost)).toBe(true);
  });

  it('that is gone does not keep a batch from being taken back by tombstones', async () => {
    await publish('b', 0, 5);
    await stepper.sql.query(
      `update analytics.backfill_publishes set snapshot_path = snapshot_path || '.gone' where batch_id = 'b'`,
    );
    await stepper.rollBack('b', 'snapshot');
    const job = await rollbackJob('b');
    await expect(stepper.run(job)).rejects.toThrow(/cannot be read\. Put back/);
    // From psql, while the service still tries.
    await runPsqlScript(url(), 'backfill_apply_tombstones.sql', { batch_id: 'b' });
    expect(await proofOf('b')).toMatchObject({ mode: 'tombstone', tombstoned: 5, snapshot: null });
    // Now there is no snapshot to restore any more.
    await expect(stepper.sql.query(CALL('b'))).rejects.toMatchObject({
      message: 'batch b was rolled back already, by the mode tombstone',
      hint: expect.stringContaining('./backfill resume b'),
    });
  });

  it('is asked for in psql when it is not loaded: nothing happens, and the next step is told', async () => {
    await publish('b', 0, 5);
    await expect(runPsql(url(), CALL('b'))).rejects.toThrow(
      /the snapshot of batch b is not loaded\n.*\.\/backfill rollback b --mode snapshot loads the snapshot and goes on/,
    );
    await expect(runPsql(url(), CALL('nobody'))).rejects.toThrow(/unknown batch nobody/);
    await expect(stepper.sql.query('call analytics.restore_snapshot(p_batch_id := null)')).rejects.toThrow(
      /unknown batch/,
    );
    expect(await world.statusOf('b')).toBe('published');
    expect(await world.liveRows('b')).toBe(5);
  });

  it('that a service has loaded is restored from psql, and loaded anew when PostgreSQL has lost it', async () => {
    const [lost = ''] = await deliverLive(100, 110);
    await publish('b', 0, 5);
    await takeAway([lost]);
    await stepper.rollBack('b', 'snapshot');
    const { payload } = await rollbackJob('b');
    const load = () => loadSnapshot(stepper.runtime, payload, new AbortController().signal);
    await load();
    const { table_name } = await world.one<{ table_name: string }>(
      'select table_name from analytics.backfill_snapshot_loads',
    );
    // As it is after a crash.
    await stepper.sql.query(`truncate analytics.${table_name}`);
    await expect(runPsql(url(), CALL('b'))).rejects.toThrow(/of the snapshot of batch b only 0 of 10 rows are loaded/);
    await load();
    await load();
    expect(await snapshotTables()).toBe(1);
    expect(await runPsql(url(), CALL('b'))).toContain('"restored": 1');
    expect((await liveRows()).has(lost)).toBe(true);
    expect(await snapshotTables()).toBe(0);
    expect(await world.workOff('b')).toBe('rolled_back');
  });

  it('brings nobody back who is suppressed while the rollback waits', async () => {
    const [lost = '', other = ''] = await deliverLive(100, 110);
    await publish('b', 0, 5);
    await takeAway([lost, other]);
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
    expect([(await liveRows()).has(lost), (await liveRows()).has(other)]).toEqual([false, true]);
    expect((await proofOf('b')).snapshot).toMatchObject({ restored: 1, suppressed: 1 });
  });

  it('brings nothing back that is older than events are kept, but for an exception', async () => {
    const [lost = ''] = await deliverLive(100, 110);
    await publish('a', 200, 205);
    await publish('b', 0, 5);
    const [lostOfA = ''] = await keysOf('a');
    await takeAway([lost, lostOfA]);
    await stepper.sql.query(`
      alter table analytics.backfill_plans disable trigger all;
      update analytics.backfill_plans set plan = jsonb_set(plan, '{policy,retention,event_months}', '0') where batch_id = 'b';
      update analytics.backfill_plans set plan = jsonb_set(plan, '{retentionException}',
        '{"why": "law", "until": "2999-01-01T00:00:00Z"}') where batch_id = 'a'`);
    await stepper.rollBack('b', 'snapshot');
    await world.workOff('b');
    expect([(await liveRows()).has(lost), (await liveRows()).has(lostOfA)]).toEqual([false, true]);
    expect((await proofOf('b')).snapshot).toMatchObject({ restored: 1, expired: 1 });
  });

  it.each(['rollback:copied', 'rollback:filled', 'rollback:loaded', 'rollback:written', 'rollback:committed'])(
    'is restored by another process when the first one is killed at %s',
    async (crashAt) => {
      const [lost = ''] = await deliverLive(100, 110);
      await publish('b', 0, 5);
      await takeAway([lost]);
      await stepper.rollBack('b', 'snapshot');
      expect(await startServiceProcess('rollback', stepper.env, crashAt).ended).toBe('SIGKILL');
      const next = startServiceProcess('rollback', stepper.env);
      await waitFor('the batch to be rolled back', async () =>
        (await world.statusOf('b')) === 'rolled_back' ? true : undefined,
      );
      await next.end('SIGTERM');
      expect((await liveRows()).has(lost)).toBe(true);
      expect((await proofOf('b')).snapshot).toMatchObject({ rows: 10, kept: 9, restored: 1 });
      expect(await snapshotTables()).toBe(0);
    },
    120_000,
  );
});

describe('every mode', () => {
  beforeEach(() => begin('with the events'));

  it('is refused in psql without a batch, or for one that nobody knows', async () => {
    await expect(runPsqlScript(url(), 'backfill_revert.sql')).rejects.toThrow(/batch_id is missing/);
    await expect(runPsqlScript(url(), 'backfill_revert.sql', { batch_id: `x'; drop table y; --` })).rejects.toThrow(
      /unknown batch/,
    );
  });

  it.each(ROLLBACK_MODES)('works at every moment of a batch: %s', async (mode) => {
    const others = await deliverLive(100, 103);
    const all = lines(0, 5).map((line) => `${line}\n`);
    // One step more each time, until the batch is published.
    for (let steps = 0, status: string | undefined = ''; status !== 'published'; steps += 1) {
      const batchId = `b${steps}`;
      await stepper.submit(
        { batchId, source: 'app', window: { start: '2026-11-01T00:00:00Z', end: '2026-11-02T00:00:00Z' } },
        { 'a.ndjson': all.join('') },
      );
      for (let done = 0; done < steps; done += 1) {
        const [job] = await stepper.dueJobs(batchId);
        if (job === undefined) await stepper.change(batchId, ['awaiting_publish_approval'], 'publishing');
        else await stepper.run(job);
      }
      status = await world.statusOf(batchId);
      if (steps % 2 === 1) await stepper.halt(batchId);
      await stepper.rollBack(batchId, mode);
      expect(await world.workOff(batchId), `${mode} from ${status}`).toBe('rolled_back');
      const proof = await proofOf(batchId);
      expect(proof).toMatchObject({ mode, live_rows_after: 0, keys_after: 0, jobs_after: 0, left_outside: 0 });
      expect(proof.others_after).toBe(proof.others_before);
      expect(proof.snapshot === null).toBe(mode !== 'snapshot' || status !== 'published');
      expect([...(await liveRows()).keys()]).toEqual(others);
      expect(await keysOf(batchId)).toEqual([]);
      expect(steps).toBeLessThan(40);
    }
  });
});
