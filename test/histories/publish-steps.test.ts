import { hash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { DeferError } from '@backfill/core/errors';
import { publishBatch } from '@backfill/verifier/jobs/publish-batch';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createConfigDir, withoutApprovals } from '../support/config-dir.ts';
import { startServiceProcess } from '../support/service-process.ts';
import { COLUMNS, createPublishWorld, lineOf, type PublishWorld } from './publish-world.ts';
import { createStepper, type Stepper } from './stepper.ts';

// A publish by its stored steps: the snapshot of the window, the rows, their count, and what a crash leaves of each.
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
beforeEach(async () => {
  stepper = await createStepper('with the events', { BACKFILL_CONFIG_DIR: config.dir });
  world = createPublishWorld(stepper);
});
afterEach(() => stepper.dispose());

const lines = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, at) => lineOf(from + at, `u${from + at}`));

async function publish(batchId: string, from: number, to: number): Promise<void> {
  expect(await world.submit(batchId, lines(from, to))).toBe('awaiting_publish_approval');
  await world.go(batchId);
  expect(await world.workOff(batchId)).toBe('published');
}

async function readObject(path: string | null): Promise<Buffer> {
  const {
    store,
    config: { storage },
  } = stepper.runtime;
  const key = path?.replace(`s3://${storage.archiveBucket}/`, '') ?? '';
  return Buffer.concat(await (await store.get(storage.archiveBucket, key)).toArray());
}

async function listSnapshots(batchId: string): Promise<string[]> {
  const {
    store,
    config: { storage },
  } = stepper.runtime;
  const keys: string[] = [];
  for await (const { key } of store.list(storage.archiveBucket, `snapshots/${batchId}/`)) keys.push(key);
  return keys;
}

const stepsOf = async (batchId: string) =>
  (
    await stepper.sql.query<{ step: string }>(
      `select detail ->> 'step' as step from analytics.backfill_audit_log
        where batch_id = $1 and action in ('publish', 'publish_step') order by audit_id`,
      [batchId],
    )
  ).rows.map(({ step }) => step);

describe('a snapshot', () => {
  it('holds what was live in source and window before the publish, byte for byte', async () => {
    await publish('before', 0, 2_500);
    // Neither another day, nor another source, nor what was taken back.
    const shift = (column: string, value: string) => COLUMNS.replace(column, value);
    await stepper.sql.query(`
      insert into analytics.events (${COLUMNS})
      select ${shift('event_id', `event_id || '2'`).replace('event_ts', `event_ts + interval '1 day'`)} from analytics.events_backfill_staging limit 10;
      insert into analytics.events (${COLUMNS})
      select ${shift('event_id, source', `event_id || '1', 'web'`)} from analytics.events_backfill_staging limit 10;
      update analytics.events_log set deleted_at = now() where event_id in (
        select event_id from analytics.events_log where batch_id = 'before' order by 1 limit 1)`);
    expect(await world.submit('b', lines(3_000, 3_010))).toBe('awaiting_publish_approval');
    const { rows: live } = await stepper.sql.query<{ event_id: string }>(
      `select event_id from analytics.events where batch_id = 'before' order by 1`,
    );
    await world.go('b');
    expect(await world.workOff('b')).toBe('published');

    const [done] = await world.publishes('b');
    const stored = await readObject(done?.snapshot_path ?? null);
    expect([stored.length, hash('sha256', stored, 'hex')]).toEqual([done?.snapshot_bytes, done?.snapshot_sha256]);
    const text = gunzipSync(stored).toString();
    const rows = text.trimEnd().split('\n');
    expect(rows).toHaveLength(2_499);
    expect(done?.snapshot_rows).toBe(2_499);
    // As a restore would read it: each event has its own id still.
    const { rows: read } = await stepper.sql.query<{ event_id: string; is_same: boolean }>(
      `select s.line ->> 'event_id' as event_id, s.line ->> 'event_id' = analytics.event_id(
                s.line ->> 'source', (s.line ->> 'event_ts')::timestamptz, s.line -> 'payload') as is_same
         from unnest($1::json[]) as s (line) order by 1`,
      [rows],
    );
    expect(read).toEqual(live.map(({ event_id }) => ({ event_id, is_same: true })));
    const sidecar = JSON.parse((await readObject(`${done?.snapshot_path}.json`)).toString());
    expect(sidecar).toMatchObject({ batch_id: 'b', source: 'app', rows: 2_499, sha256: done?.snapshot_sha256 });
    expect(sidecar.mark).toMatch(/^\d+:\d+:/);
    const metadata = await world.one<Record<string, unknown>>(
      `select m.snapshot_path, m.snapshot_checksum, m.snapshot_start = b.window_start as starts,
              m.snapshot_end = b.window_end as ends, m.checksum = b.checksum as same, m.applied_at is not null as applied
         from analytics.backfill_batches_metadata m join analytics.backfill_batches b using (batch_id)
        where m.batch_id = 'b'`,
    );
    expect(metadata).toEqual({
      snapshot_path: done?.snapshot_path,
      snapshot_checksum: done?.snapshot_sha256,
      ...{ starts: true, ends: true, same: true, applied: true },
    });
  });

  it('is there of an empty window too, and anew for each publish', async () => {
    await publish('b', 0, 5);
    expect((await world.publishes('b'))[0]).toMatchObject({ snapshot_rows: 0, published: 5 });
    await stepper.change('b', ['published'], 'rolling_back');
    await world.workOff('b');
    await stepper.resume('b');
    expect(await world.workOff('b')).toBe('awaiting_publish_approval');
    const { snapshot_path } = await world.one<{ snapshot_path: string | null }>(
      `select snapshot_path from analytics.backfill_batches_metadata where batch_id = 'b'`,
    );
    expect(snapshot_path).toBeNull();
    await world.go('b');
    await world.workOff('b');
    const [first, second] = await world.publishes('b');
    expect([first?.attempt, second?.attempt]).toEqual([1, 2]);
    expect(second?.snapshot_path).not.toBe(first?.snapshot_path);
    expect(await listSnapshots('b')).toHaveLength(4);
  });

  it('is not taken for done when the archive holds something else', async () => {
    expect(await world.submit('b', lines(0, 5))).toBe('awaiting_publish_approval');
    await world.go('b');
    const { runtime } = stepper;
    const { store } = runtime;
    const lying = {
      ...runtime,
      store: {
        ...store,
        async putStream(...[bucket, key, body, signal]: Parameters<typeof store.putStream>) {
          await store.putStream(bucket, key, body, signal);
          await store.put(bucket, key, Buffer.from('something else'), 'text/plain');
        },
      },
    };
    const [job] = await stepper.dueJobs('b');
    const publishing = publishBatch(lying, job?.payload as never, new AbortController().signal);
    await expect(publishing).rejects.toThrow('is not what was written there');
    expect(await world.publishes('b')).toMatchObject([{ step: 'snapshot', snapshot_path: null }]);
    expect(await world.workOff('b')).toBe('published');
  });

  it('ends with a halt, and nothing is noted', async () => {
    expect(await world.submit('b', lines(0, 5))).toBe('awaiting_publish_approval');
    await world.go('b');
    const { runtime } = stepper;
    const { store } = runtime;
    const slow = {
      ...runtime,
      store: {
        ...store,
        async putStream(...[, , , signal]: Parameters<typeof store.putStream>) {
          await stepper.halt('b');
          await new Promise((_resolve, reject) => {
            signal?.addEventListener('abort', () => reject(new DeferError('the upload was given up', 0)));
          });
        },
      },
    };
    const [job] = await stepper.dueJobs('b');
    const publishing = publishBatch(slow, job?.payload as never, new AbortController().signal);
    await expect(publishing).rejects.toThrow('batch b was stopped');
    expect(await world.publishes('b')).toMatchObject([{ step: 'snapshot', outcome: null }]);
    expect(await listSnapshots('b')).toEqual([]);
    await stepper.resume('b');
    expect(await world.workOff('b')).toBe('published');
  });
});

describe('a publish that is killed', () => {
  it.each([
    ['publish:snapshot-stored', 'snapshot', 0],
    ['publish:snapshot-noted', 'rows', 0],
    ['publish:days-made', 'rows', 0],
    ['publish:inserted', 'rows', 0],
    ['publish:taken', 'rows', 0],
    ['publish:changed', 'rows', 0],
    ['publish:committed', 'count', 8],
    ['publish:counted', 'count', 8],
    ['publish:lifted', 'done', 8],
  ])(
    'at %s goes on at its step',
    async (crashAt, step, live) => {
      expect(await world.submit('b', lines(0, 8))).toBe('awaiting_publish_approval');
      await world.go('b');
      expect(await startServiceProcess('verifier', stepper.env, crashAt).ended).toBe('SIGKILL');
      expect(await world.publishes('b')).toMatchObject([{ step }]);
      expect(await world.liveRows('b')).toBe(live);
      expect(await world.freezes()).toHaveLength(step === 'done' ? 0 : 1);
      const [noted] = await world.publishes('b');
      expect(await world.workOff('b')).toBe('published');
      const [done] = await world.publishes('b');
      expect(done).toMatchObject({ step: 'done', outcome: 'published', published: 8, counted: 8 });
      // What was noted is not made again.
      if (noted?.snapshot_path !== null) expect(done?.snapshot_path).toBe(noted?.snapshot_path);
      expect(await world.liveRows('b')).toBe(8);
      expect(await world.freezes()).toEqual([]);
      expect((await stepsOf('b')).filter((name, at, all) => name !== all[at - 1])).toEqual([
        'snapshot',
        'rows',
        'count',
        'done',
      ]);
    },
    60_000,
  );
});

describe('a publish whose rows are live and not counted', () => {
  const toCount = async () => {
    expect(await world.submit('b', lines(0, 8))).toBe('awaiting_publish_approval');
    await world.go('b');
    expect(await startServiceProcess('verifier', stepper.env, 'publish:committed').ended).toBe('SIGKILL');
  };

  it.each([
    [
      'a row is gone',
      `delete from analytics.events_log where event_id in (select event_id from analytics.events_log limit 1)`,
    ],
    [
      'a row is another one',
      `update analytics.events_log set event_id = event_id || '0'
        where event_id in (select event_id from analytics.events_log limit 1)`,
    ],
    [
      'a row says something else',
      `update analytics.events_log set session_id = 'another'
        where event_id in (select event_id from analytics.events_log limit 1)`,
    ],
    [
      'there is one more',
      `insert into analytics.events_log (${COLUMNS}, batch_id)
       select ${COLUMNS.replace('event_id', `event_id || '0'`)}, batch_id from analytics.events_log limit 1`,
    ],
  ])(
    'takes itself back when %s, and keeps the freeze until somebody has looked',
    async (_what, tamper) => {
      await toCount();
      await stepper.sql.query(tamper);
      expect(await world.workOff('b')).toBe('rolled_back');
      expect(await world.liveRows('b')).toBe(0);
      expect(await world.publishes('b')).toMatchObject([{ outcome: 'miscounted', published: 8 }]);
      const incident = await world.one<{ incident_id: string; kind: string; summary: string }>(
        'select incident_id, kind, summary from analytics.backfill_incidents',
      );
      expect(incident).toMatchObject({ kind: 'publish_miscounted', summary: expect.stringContaining('8 events') });
      expect(await world.freezes()).toEqual([
        { batch_id: 'b', reason: expect.stringMatching(/^extended: 8 events were published/) },
      ]);
      await stepper.sql.query(
        `update analytics.backfill_incidents set closed_at = now(), closed_by = 'olga', note = 'done'`,
      );
      expect(await world.freezes()).toEqual([]);
    },
    60_000,
  );

  it('is not frozen any more when its next attempt is published', async () => {
    await toCount();
    await stepper.sql.query('delete from analytics.events_log');
    expect(await world.workOff('b')).toBe('rolled_back');
    await stepper.resume('b');
    expect(await world.workOff('b')).toBe('awaiting_publish_approval');
    expect(await world.freezes()).toHaveLength(1);
    await world.go('b');
    expect(await world.workOff('b')).toBe('published');
    expect(await world.freezes()).toEqual([]);
  }, 60_000);

  it('can be halted, and resumed, and taken back', async () => {
    await toCount();
    expect(await stepper.halt('b')).toBe(true);
    expect(await world.liveRows('b')).toBe(8);
    expect(await world.freezes()).toMatchObject([{ reason: expect.stringMatching(/^extended: halted/) }]);
    await stepper.resume('b');
    expect(await world.freezes()).toMatchObject([{ reason: 'backfill in progress' }]);
    await stepper.halt('b');
    await stepper.change('b', ['halted'], 'rolling_back');
    expect(await world.workOff('b')).toBe('rolled_back');
    expect(await world.liveRows('b')).toBe(0);
    expect(await world.freezes()).toEqual([]);
  }, 60_000);

  it('has its events for others, who lose to it', async () => {
    await toCount();
    expect(await stepper.halt('b')).toBe(true);
    expect(await world.submit('rival', lines(4, 12))).toBe('awaiting_publish_approval');
    await world.go('rival');
    expect(await world.workOff('rival')).toBe('published');
    expect(await world.liveRows('rival')).toBe(4);
    await stepper.resume('b');
    expect(await world.workOff('b')).toBe('published');
    expect(await world.liveRows('b')).toBe(8);
  }, 60_000);
});

it('raises an incident when readers see the rows too late, and leaves them there', async () => {
  await config.editPolicy((policy) => {
    policy.gates.default.visible_minutes = 20;
  });
  expect(await world.submit('b', lines(0, 8))).toBe('awaiting_publish_approval');
  await world.go('b');
  await stepper.sql.query(
    `update analytics.backfill_publishes set go_at = go_at - interval '21 minutes', visible_due = visible_due - interval '21 minutes'`,
  );
  expect(await world.workOff('b')).toBe('published');
  expect((await world.publishes('b'))[0]?.visible_seconds).toBeGreaterThan(1_200);
  expect(await world.one('select kind, summary from analytics.backfill_incidents')).toEqual({
    kind: 'late_publish',
    summary: 'readers saw the events 22 minutes after the go',
  });
  const { visible_due: due, go_at: go } = (await world.publishes('b'))[0] ?? {};
  expect(Number(due) - Number(go)).toBe(20 * 60_000);
  expect(await world.liveRows('b')).toBe(8);
  expect(await world.freezes()).toEqual([]);
});
