import { publishBatch } from '@backfill/verifier/jobs/publish-batch';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createConfigDir, withoutApprovals } from '../support/config-dir.ts';
import { startServiceProcess } from '../support/service-process.ts';
import { waitFor } from '../support/wait-for.ts';
import { COLUMNS, createPublishWorld, lineOf, type PublishWorld } from './publish-world.ts';
import { createStepper, type Stepper } from './stepper.ts';

// People are suppressed and events delivered live between the signatures and the readers: at every point of a publish.
let config: Awaited<ReturnType<typeof createConfigDir>>;
beforeAll(async () => {
  config = await createConfigDir((policy) => {
    withoutApprovals(policy);
    Object.assign(policy.gates.default, { duplicate_ratio: 1, max_overlap: 0.2, schema: 1, max_newly_suppressed: 0.2 });
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

const SIGNED = 10;
/** One event of a person is within the shares of the policy, three are beyond. */
const LINES = Array.from({ length: SIGNED }, (_, event) =>
  lineOf(event, event === 0 ? 'single' : event < 4 ? 'triple' : `u${event}`),
);

type What = 'suppression' | 'live';
const ofPerson = (events: number) =>
  `subject_id = (select subject_id from analytics.events_backfill_staging group by 1 having count(*) = ${events} limit 1)`;

async function suppress(events: number): Promise<void> {
  await stepper.sql.query(
    `insert into analytics.privacy_suppressions (subject_id, reason)
     select distinct subject_id, 'objection' from analytics.events_backfill_staging where ${ofPerson(events)}`,
  );
}

// The last ones by id: a publish that has to wait for them has passed all others.
const deliver = (events: number) => `
  insert into analytics.events_log (${COLUMNS}) select ${COLUMNS} from analytics.events_backfill_staging
   order by event_id desc limit ${events}`;

async function arrive(what: What, events: number): Promise<void> {
  await (what === 'suppression' ? suppress(events) : stepper.sql.query(deliver(events)));
}

/** Publishes, with something in the middle of the snapshot. */
async function publishWith(duringSnapshot: () => Promise<void>): Promise<void> {
  const { runtime } = stepper;
  const { store } = runtime;
  const [job] = await stepper.dueJobs('b');
  if (job === undefined) throw new Error('there is nothing to publish');
  const hooked = {
    ...runtime,
    store: {
      ...store,
      async putStream(...upload: Parameters<typeof store.putStream>) {
        await duringSnapshot();
        return store.putStream(...upload);
      },
    },
  };
  await publishBatch(hooked, job.payload, new AbortController().signal);
}

const POINTS: Record<string, (what: What, events: number) => Promise<void>> = {
  async 'before the go'(what, events) {
    await arrive(what, events);
    await world.go('b');
    await stepper.run((await stepper.dueJobs('b'))[0] as never);
  },
  async 'after the go, before the snapshot'(what, events) {
    await world.go('b');
    await arrive(what, events);
    await stepper.run((await stepper.dueJobs('b'))[0] as never);
  },
  async 'during the snapshot'(what, events) {
    await world.go('b');
    await publishWith(() => arrive(what, events));
  },
  async 'between the snapshot and the transaction'(what, events) {
    await world.go('b');
    const killed = startServiceProcess('verifier', stepper.env, 'publish:snapshot-noted');
    expect(await killed.ended).toBe('SIGKILL');
    await arrive(what, events);
    await stepper.run((await stepper.dueJobs('b'))[0] as never);
  },
  async 'inside the transaction, while it waits'(what, events) {
    await world.go('b');
    const writer = await world.connect();
    await writer.query(`select analytics.ensure_event_day('2026-11-01')`);
    await writer.query('begin');
    await writer.query(deliver(what === 'live' ? events : 1));
    const publishing = stepper.run((await stepper.dueJobs('b'))[0] as never);
    await world.waiting();
    if (what === 'suppression') await suppress(events);
    await writer.query(what === 'live' ? 'commit' : 'rollback');
    await writer.end();
    await publishing;
  },
};

const CASES = Object.keys(POINTS).flatMap((point) => [[point, 'suppression'] as const, [point, 'live'] as const]);

async function books(): Promise<object> {
  return world.one(
    `select sum(line_count)::int as lines, sum(inserted)::int as inserted, sum(suppressed)::int as suppressed,
            sum(duplicate_live)::int as live from analytics.backfill_import_parts where batch_id = 'b'`,
  );
}

const bookedAs = (what: What, events: number) => ({
  ...{ lines: SIGNED, inserted: SIGNED - events },
  ...{ suppressed: what === 'suppression' ? events : 0, live: what === 'live' ? events : 0 },
});

describe.each(CASES)('what arrives %s (%s)', (point, what) => {
  it('is left out and recorded, within the share of the policy', async () => {
    expect(await world.submit('b', LINES)).toBe('awaiting_publish_approval');
    await POINTS[point]?.(what, 1);
    expect(await world.workOff('b')).toBe('published');
    expect(await world.liveRows('b')).toBe(SIGNED - 1);
    const left = { newly_suppressed: what === 'suppression' ? 1 : 0, newly_live: what === 'live' ? 1 : 0 };
    expect(await world.publishes('b')).toMatchObject([
      { ...left, published: SIGNED - 1, counted: SIGNED - 1, withheld: 0, outcome: 'published', step: 'done' },
    ]);
    expect(await world.report('b')).toMatchObject({ publish: left, rows: SIGNED - 1 });
    expect(await books()).toEqual(bookedAs(what, 1));
    expect(await world.freezes()).toEqual([]);
  }, 60_000);

  it('sends the batch back to its gates beyond it, and is not part of what is signed then', async () => {
    expect(await world.submit('b', LINES)).toBe('awaiting_publish_approval');
    await POINTS[point]?.(what, 3);
    expect(await world.statusOf('b')).toBe('verifying');
    expect(await world.liveRows('b')).toBe(0);
    expect(await world.freezes()).toHaveLength(1);
    expect(await world.publishes('b')).toMatchObject([{ outcome: 'sent_back', published: null }]);
    // Three of ten that somebody else has are too many for the gate as well, and a person has to decide.
    if (what === 'live') {
      expect(await world.workOff('b')).toBe('gates_failed');
      return;
    }
    expect(await world.workOff('b')).toBe('awaiting_publish_approval');
    const { row_count } = await world.one<{ row_count: string }>(
      `select row_count from analytics.backfill_batches where batch_id = 'b'`,
    );
    expect(Number(row_count)).toBe(SIGNED - 3);
    await world.go('b');
    expect(await world.workOff('b')).toBe('published');
    expect(await world.liveRows('b')).toBe(SIGNED - 3);
    expect((await world.publishes('b'))[1]).toMatchObject({ newly_suppressed: 0, withheld: 3, outcome: 'published' });
    expect(await books()).toEqual(bookedAs(what, 3));
  }, 60_000);
});

it('counts what became live before the signing and after it together', async () => {
  const deliverOne = (order: 'asc' | 'desc', events: number) =>
    stepper.sql.query(
      `insert into analytics.events_log (${COLUMNS}) select ${COLUMNS} from analytics.events_backfill_staging
        order by event_id ${order} limit ${events}`,
    );
  expect(await world.submit('b', LINES)).toBe('awaiting_publish_approval');
  await deliverOne('desc', 2);
  await stepper.change('b', ['awaiting_publish_approval'], 'verifying');
  // Two of ten are what the policy allows.
  expect(await world.workOff('b')).toBe('awaiting_publish_approval');
  await deliverOne('asc', 1);
  await world.go('b');
  await stepper.run((await stepper.dueJobs('b'))[0] as never);
  expect(await world.statusOf('b')).toBe('verifying');
  expect(await world.publishes('b')).toMatchObject([{ outcome: 'sent_back', published: null }]);
});

it('publishes people again who are not suppressed any more when the batch is measured', async () => {
  expect(await world.submit('b', LINES)).toBe('awaiting_publish_approval');
  await suppress(3);
  await world.go('b');
  expect(await world.workOff('b')).toBe('awaiting_publish_approval');
  await stepper.sql.query('delete from analytics.privacy_suppressions');
  await stepper.change('b', ['awaiting_publish_approval'], 'verifying');
  expect(await world.workOff('b')).toBe('awaiting_publish_approval');
  await world.go('b');
  expect(await world.workOff('b')).toBe('published');
  expect(await world.liveRows('b')).toBe(SIGNED);
  expect(await books()).toEqual(bookedAs('live', 0));
});

it('makes whoever suppresses wait for a publish that is about to commit', async () => {
  expect(await world.submit('b', LINES)).toBe('awaiting_publish_approval');
  await world.go('b');
  // What the publish waits for last, behind its look at the suppressions.
  const holder = await world.connect();
  await holder.query('begin');
  await holder.query(`select 1 from analytics.backfill_batches where batch_id = 'b' for no key update`);
  const publishing = world.workOff('b');
  await world.waiting();
  const suppressing = suppress(3);
  await waitFor('the suppression to wait', async () => {
    const { rowCount } = await stepper.sql.query(
      `select 1 from pg_stat_activity where datname = current_database() and wait_event = 'relation'
          and query like '%insert into analytics.privacy_suppressions%'`,
    );
    return rowCount === 1 || undefined;
  });
  await holder.query('rollback');
  await holder.end();
  await suppressing;
  // It came after the publish: the rows were live by then, and are an erasure's business.
  expect(await world.liveRows('b')).toBe(SIGNED);
  expect(await publishing).toBe('published');
});
