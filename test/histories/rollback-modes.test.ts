import { ROLLBACK_MODES } from '@backfill/core/domain/rollback-mode';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { WINDOW } from '../support/app-events.ts';
import { createConfigDir, withoutApprovals } from '../support/config-dir.ts';
import { KEY_LAYOUTS, type KeyLayout } from '../support/environment.ts';
import { keysFreed } from '../support/keys-freed.ts';
import { runPsqlScript } from '../support/psql.ts';
import { COLUMNS, createPublishWorld, type PublishWorld } from './publish-world.ts';
import { createRollbackWorld, lines, type RollbackWorld } from './rollback-world.ts';
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
let undo: RollbackWorld;
async function begin(layout: KeyLayout): Promise<void> {
  stepper = await createStepper(layout, { BACKFILL_CONFIG_DIR: config.dir });
  world = createPublishWorld(stepper);
  undo = createRollbackWorld(stepper, world);
}
afterEach(() => stepper.dispose());

const CALL = (batchId: string) => `call analytics.restore_snapshot(p_batch_id := '${batchId}')`;

describe.each(KEY_LAYOUTS)('the dedup store %s', (layout) => {
  beforeEach(() => begin(layout));

  it.each(['service', 'psql'])('takes back what is in the window, and leaves the rest, by %s', async (by) => {
    const others = await undo.deliverLive(100, 110);
    await undo.publish('b', 0, 20);
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
      expect(await runPsqlScript(undo.url(), 'backfill_revert.sql', { batch_id: 'b' })).toMatch(/ b +\| +1 \| +20 \|/);
    } else {
      await stepper.rollBack('b', 'window');
      expect(await world.workOff('b')).toBe('rolled_back');
    }
    const settled = async (freed: number, left: number) => {
      if (layout === 'in a database of its own' && by === 'psql') await undo.freeKeys();
      await keysFreed({ ...stepper, dispose: async () => undefined }, 'b');
      expect(await undo.proofOf('b')).toMatchObject({
        keys_freed: freed,
        keys_after: 0,
        left_outside: left,
        jobs_after: 0,
      });
    };
    await settled(20, 1);
    const proof = await undo.proofOf('b');
    expect(proof).toMatchObject({ mode: 'window', tombstoned: 20, live_rows_after: 0, others_recent: 0 });
    expect([proof.others_after, String(proof.others_after).split(':')[0]]).toEqual([proof.others_before, '10']);
    expect([...(await undo.liveRows()).keys()]).toEqual([...others, outside].sort());
    expect(await undo.keysOf('b')).toEqual([outside]);

    // Repeated, it says the same; tombstones take the rest.
    const again = await runPsqlScript(undo.url(), 'backfill_revert.sql', { batch_id: 'b' });
    expect(again).toMatch(/ b +\| +1 \| +20 \| +20 \| +0 \| +0 \| +1 \|/);
    await runPsqlScript(undo.url(), 'backfill_apply_tombstones.sql', { batch_id: 'b' });
    if (layout === 'in a database of its own') await undo.freeKeys();
    expect(await undo.proofOf('b')).toMatchObject({ mode: 'tombstone', tombstoned: 1, keys_freed: 1, left_outside: 0 });
    expect([...(await undo.liveRows()).keys()]).toEqual(others);
    expect(await undo.keysOf('b')).toEqual([]);
  });

  it('restores the window as it was, without what may not come back, and leaves what came since', async () => {
    const live = await undo.deliverLive(100, 110);
    await undo.publish('a', 200, 205);
    await undo.publish('gone', 300, 303);
    const before = await undo.liveRows();
    await undo.publish('b', 0, 20);
    const [lost = '', deleted = '', suppressed = '', stillLive = ''] = live;
    const [lostOfA = ''] = await undo.keysOf('a');
    await undo.suppress([suppressed, stillLive]);
    await undo.takeAway([lost, suppressed, lostOfA]);
    await stepper.sql.query('delete from analytics.events_log where event_id = $1', [deleted]);
    await stepper.rollBack('gone', 'tombstone');
    await world.workOff('gone');
    const since = await undo.deliverLive(400, 402);
    await undo.publish('c', 500, 503);
    const after = await undo.liveRows();

    await stepper.rollBack('b', 'snapshot');
    expect(await world.workOff('b')).toBe('rolled_back');
    const expected = new Map([...before, ...after].filter(([, row]) => !row.includes(',b,')));
    for (const [id] of before) if (id === suppressed || (before.get(id) ?? '').includes(',gone,')) expected.delete(id);
    expect(await undo.liveRows()).toEqual(expected);
    expect([...expected.keys()]).toEqual(expect.arrayContaining([lost, deleted, lostOfA, stillLive, ...since]));

    const proof = await undo.proofOf('b');
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
    expect(proof.snapshot?.since_examples).toEqual([...since, ...(await undo.keysOf('c'))].sort());
    expect(await undo.snapshotTables()).toBe(0);
    expect(await undo.keysOf('b')).toEqual([]);

    // Again, by hand too: nothing happens.
    const { rows } = await stepper.sql.query<{ proof: { rollback_id: number; mode: string } }>(CALL('b'));
    expect(rows[0]?.proof.mode).toBe('snapshot');
    expect(await undo.liveRows()).toEqual(expected);
    await stepper.resume('b');
    expect(await world.workOff('b')).toBe('awaiting_publish_approval');
  });
});

describe('the proof', () => {
  beforeEach(() => begin('with the events'));

  it('lets nothing be done when a row of somebody else would be touched', async () => {
    const [first = ''] = await undo.deliverLive(100, 110);
    await undo.publish('b', 0, 5);
    // A bug: it changes no number, and no id.
    await stepper.sql.query(`
      create function pg_temp_touch() returns trigger language plpgsql as $$ begin
        update analytics.events_log set session_id = 'x' where event_id = '${first}';
        return null;
      end $$;
      create trigger touch after update on analytics.events_log for each statement
        when (pg_trigger_depth() = 0) execute function pg_temp_touch()`);
    const before = await undo.liveRows();
    await stepper.rollBack('b', 'tombstone');
    for (const mode of ROLLBACK_MODES) {
      await undo.askFor('b', mode);
      await expect(world.workOff('b')).rejects.toThrow(
        /while b was rolled back, other rows of its window were changed/,
      );
      expect(await undo.liveRows()).toEqual(before);
      expect(await world.statusOf('b')).toBe('rolling_back');
    }
    await stepper.sql.query('drop trigger touch on analytics.events_log');
    await undo.askFor('b', 'window');
    expect(await world.workOff('b')).toBe('rolled_back');
  });

  it('tells what was written meanwhile, and is not put off by it', async () => {
    await undo.deliverLive(100, 110);
    await world.submit('late', lines(600, 602));
    await undo.publish('b', 0, 5);
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
    const proof = await undo.proofOf('b');
    expect([proof.others_after, proof.others_recent]).toEqual([proof.others_before, 2]);
    expect(String(proof.others_before)).toMatch(/^10:/);
  });

  it('counts on what was written before everybody who is writing in this database, and only here', async () => {
    // Else the publish moves the rows of the day, which are new ones then.
    await stepper.sql.query(`select analytics.ensure_event_day('2026-11-01')`);
    const elsewhere = new pg.Client({ connectionString: inject('servers').DATABASE_URL });
    await elsewhere.connect();
    await elsewhere.query('begin');
    await elsewhere.query('select pg_current_xact_id()');
    await undo.deliverLive(100, 110);
    const writer = await world.connect();
    await writer.query('begin');
    await writer.query('savepoint one');
    await writer.query(`insert into analytics.privacy_key_checks values (99, 'x')`);
    await undo.deliverLive(200, 203);
    await undo.publish('b', 0, 5);
    await stepper.rollBack('b', 'window');
    expect(await world.workOff('b')).toBe('rolled_back');
    await writer.query('rollback');
    await elsewhere.query('rollback');
    await Promise.all([writer.end(), elsewhere.end()]);
    const proof = await undo.proofOf('b');
    expect([proof.others_after, proof.others_recent]).toEqual([proof.others_before, 3]);
    expect(String(proof.others_before)).toMatch(/^10:/);
  });

  it('stands in report and audit log', async () => {
    await undo.publish('b', 0, 5);
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

describe('every mode', () => {
  beforeEach(() => begin('with the events'));

  it('is refused in psql without a batch, or for one that nobody knows', async () => {
    await expect(runPsqlScript(undo.url(), 'backfill_revert.sql')).rejects.toThrow(/batch_id is missing/);
    await expect(
      runPsqlScript(undo.url(), 'backfill_revert.sql', { batch_id: `x'; drop table y; --` }),
    ).rejects.toThrow(/unknown batch/);
  });

  it.each(ROLLBACK_MODES)(
    'works at every moment of a batch: %s',
    async (mode) => {
      const others = await undo.deliverLive(100, 103);
      const all = lines(0, 5).map((line) => `${line}\n`);
      // One step more each time, until the batch is published.
      for (let steps = 0, status: string | undefined = ''; status !== 'published'; steps += 1) {
        const batchId = `b${steps}`;
        await stepper.submit({ batchId, source: 'app', window: WINDOW }, { 'a.ndjson': all.join('') });
        for (let done = 0; done < steps; done += 1) {
          const [job] = await stepper.dueJobs(batchId);
          if (job === undefined) await stepper.change(batchId, ['awaiting_publish_approval'], 'publishing');
          else await stepper.run(job);
        }
        status = await world.statusOf(batchId);
        if (steps % 2 === 1) await stepper.halt(batchId);
        await stepper.rollBack(batchId, mode);
        expect(await world.workOff(batchId), `${mode} from ${status}`).toBe('rolled_back');
        const proof = await undo.proofOf(batchId);
        expect(proof).toMatchObject({ mode, live_rows_after: 0, keys_after: 0, jobs_after: 0, left_outside: 0 });
        expect(proof.others_after).toBe(proof.others_before);
        expect(proof.snapshot === null).toBe(mode !== 'snapshot' || status !== 'published');
        expect([...(await undo.liveRows()).keys()]).toEqual(others);
        expect(await undo.keysOf(batchId)).toEqual([]);
        expect(steps).toBeLessThan(40);
      }
    },
    180_000,
  );
});
