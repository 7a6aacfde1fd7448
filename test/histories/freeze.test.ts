import { withTransaction } from '@backfill/core/db/transaction';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { createConfigDir, withoutApprovals } from '../support/config-dir.ts';
import { createPublishWorld, lineOf, type PublishWorld } from './publish-world.ts';
import { createStepper, type Stepper } from './stepper.ts';

// When a window is frozen, and when it is not.
let config: Awaited<ReturnType<typeof createConfigDir>>;
beforeAll(async () => {
  config = await createConfigDir((policy) => {
    withoutApprovals(policy);
    Object.assign(policy.gates.default, { duplicate_ratio: 0, max_overlap: 1, schema: 1 });
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

const LINES = Array.from({ length: 6 }, (_, event) => lineOf(event, `u${event}`));
const OPEN = { batch_id: 'b', reason: 'backfill in progress' };
const incidents = async () =>
  (
    await stepper.sql.query(
      `select kind, post_mortem_due - raised_at = interval '24 hours' as is_due from analytics.backfill_incidents order by 1`,
    )
  ).rows;

it('begins with the run, where nobody has to approve it too, and ends with the count', async () => {
  await stepper.submit(
    { batchId: 'b', source: 'app', window: { start: '2026-11-01T00:00:00Z', end: '2026-11-02T00:00:00Z' } },
    {
      'a.ndjson': LINES.join('\n'),
    },
  );
  expect(await world.freezes()).toEqual([]);
  await stepper.run((await stepper.dueJobs('b'))[0] as never);
  expect([await world.statusOf('b'), await world.freezes()]).toEqual(['preparing', [OPEN]]);
  await world.workOff('b');
  await world.go('b');
  expect(await world.freezes()).toEqual([OPEN]);
  expect(await world.workOff('b')).toBe('published');
  expect(await world.freezes()).toEqual([]);
});

it('is extended by a failed gate with an incident, and lifted when the batch is taken back', async () => {
  await world.submit('other', LINES);
  await world.go('other');
  await world.workOff('other');
  expect(await world.submit('b', LINES, { max_overlap: 0 })).toBe('gates_failed');
  expect(await world.freezes()).toEqual([
    { batch_id: 'b', reason: expect.stringMatching(/^extended: gates failed \(duplicates: 1 observed/) },
  ]);
  expect(await incidents()).toEqual([{ kind: 'gates_failed', is_due: true }]);
  expect(await world.report('b')).toMatchObject({
    freeze: { extended_at: expect.any(String) },
    incidents: [{ kind: 'gates_failed' }],
  });
  // Measured again, with the same result: a second incident, and one freeze.
  await stepper.change('b', ['gates_failed'], 'verifying');
  expect(await world.freezes()).toEqual([OPEN]);
  expect(await world.workOff('b')).toBe('gates_failed');
  expect(await world.freezes()).toHaveLength(1);
  await stepper.change('b', ['gates_failed'], 'rolling_back');
  expect(await world.freezes()).toHaveLength(1);
  expect(await world.workOff('b')).toBe('rolled_back');
  expect(await world.freezes()).toEqual([]);
});

it('holds while the batch is halted, and through its resume', async () => {
  expect(await world.submit('b', LINES)).toBe('awaiting_publish_approval');
  expect(await stepper.halt('b')).toBe(true);
  expect(await world.freezes()).toMatchObject([
    { reason: expect.stringMatching(/^extended: halted \(set to halted by sql:/) },
  ]);
  await stepper.resume('b');
  expect(await world.freezes()).toEqual([OPEN]);
  await world.go('b');
  await world.workOff('b');
  expect(await world.freezes()).toEqual([]);
});

it('begins anew with a new attempt', async () => {
  expect(await world.submit('b', LINES)).toBe('awaiting_publish_approval');
  await stepper.change('b', ['awaiting_publish_approval'], 'rolling_back');
  await world.workOff('b');
  expect(await world.freezes()).toEqual([]);
  await stepper.resume('b');
  expect(await world.freezes()).toEqual([]);
  expect(await world.workOff('b')).toBe('awaiting_publish_approval');
  expect(await world.freezes()).toEqual([OPEN]);
});

it('is of one batch: another one over the same window keeps its own', async () => {
  await world.submit('b', LINES);
  await world.submit('c', LINES);
  expect(await world.freezes()).toEqual([OPEN, { ...OPEN, batch_id: 'c' }]);
  await world.go('b');
  expect(await world.workOff('b')).toBe('published');
  expect(await world.freezes()).toEqual([{ ...OPEN, batch_id: 'c' }]);
  await stepper.change('b', ['published'], 'rolling_back');
  await world.workOff('b');
  expect(await world.freezes()).toEqual([{ ...OPEN, batch_id: 'c' }]);
});

it('goes by what was decided last, whatever the clock said then', async () => {
  await world.submit('b', LINES);
  const ahead = `clock_timestamp() + interval '1 day'`;
  await stepper.sql.query(`update analytics.backfill_freezes set frozen_at = ${ahead}, extended_at = ${ahead}`);
  await withTransaction(stepper.runtime.pool, 'test', async (client) => {
    await client.query(`update analytics.backfill_batches set updated_at = ${ahead}, created_at = ${ahead}`);
    await client.query(
      `insert into analytics.backfill_incidents (batch_id, kind, summary, raised_at) values ('b', 'crash_loop', 'x', ${ahead})`,
    );
  });
  await world.go('b');
  await stepper.sql.query(`update analytics.backfill_publishes set go_at = ${ahead}, visible_due = ${ahead}`);
  expect(await world.workOff('b')).toBe('published');
  expect(await world.freezes()).toEqual([]);
  expect((await world.publishes('b'))[0]).toMatchObject({ visible_seconds: 0, outcome: 'published' });
  await stepper.sql.query(`update analytics.backfill_incidents set closed_at = now(), closed_by = 'olga', note = 'x'`);
});
