import { hash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { createConfigDir, withoutApprovals } from '../support/config-dir.ts';
import { COLUMNS, createPublishWorld, lineOf, type PublishWorld } from './publish-world.ts';
import { createStepper, type Stepper } from './stepper.ts';

// A publish writes without looking each row up, as long as nobody else has one, and knows what must be found live then.
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

async function verify(batchId: string, from: number, to: number): Promise<void> {
  const lines = Array.from({ length: to - from }, (_, at) => lineOf(from + at, `u${from + at}`));
  expect(await world.submit(batchId, lines)).toBe('awaiting_publish_approval');
}

/** Delivers the first staged event of a batch live. */
const deliver = (batchId: string) =>
  stepper.sql.query(
    `insert into analytics.events (${COLUMNS})
     select ${COLUMNS} from analytics.events_backfill_staging where batch_id = $1 order by event_id limit 1`,
    [batchId],
  );

const shares = async (batchId: string) =>
  (await world.one<{ shared: boolean }>('select analytics.shares_rows_to_publish($1) as shared', batchId)).shared;

it('takes events for a batch only its own while nobody else has or delivered one of them', async () => {
  await verify('b', 0, 8);
  expect(await shares('b')).toBe(false);
  await verify('rival', 7, 9);
  expect([await shares('b'), await shares('rival')]).toEqual([true, true]);
  await verify('overtaken', 20, 28);
  expect(await shares('overtaken')).toBe(false);
  await deliver('overtaken');
  expect(await shares('overtaken')).toBe(true);
}, 60_000);

it('takes itself back when what it wrote is not what is staged', async () => {
  await verify('b', 0, 8);
  await stepper.sql.query(`
    create function analytics.planted_bug() returns trigger language plpgsql as $$
    begin
      new.session_id := new.subject_id;
      return new;
    end $$;
    create trigger planted_bug before insert on analytics.events_log
      for each row execute function analytics.planted_bug()`);
  await world.go('b');
  expect(await world.workOff('b')).toBe('rolled_back');
  expect(await world.liveRows('b')).toBe(0);
  expect(await world.publishes('b')).toMatchObject([{ outcome: 'miscounted', published: 8, counted: 8 }]);
}, 60_000);

it.each([
  ['all of them', 'b', 8],
  ['all but one', 'overtaken', 7],
])(
  'has the checksum of what was published (%s), in the partition of its day',
  async (_what, batchId, published) => {
    await verify(batchId, 0, 8);
    if (batchId === 'overtaken') await deliver(batchId);
    await world.go(batchId);
    expect(await world.workOff(batchId)).toBe('published');
    const { rows } = await stepper.sql.query<{ event_id: string; partition: string }>(
      'select event_id, tableoid::regclass::text as partition from analytics.events_log where batch_id = $1 order by 1',
      [batchId],
    );
    expect(rows).toHaveLength(published);
    const checksum = hash('sha256', rows.map(({ event_id }) => `${event_id}\n`).join(''), 'hex');
    const stored = `select row_count::int, checksum from analytics.backfill_batches where batch_id = $1`;
    expect(await world.one(stored, batchId)).toEqual({ row_count: published, checksum });
    expect(new Set(rows.map(({ partition }) => partition))).toEqual(new Set(['analytics.events_log_20261101']));
  },
  60_000,
);
