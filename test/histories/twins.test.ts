import { publishBatch } from '@backfill/verifier/jobs/publish-batch';
import { verifyBatch } from '@backfill/verifier/jobs/verify-batch';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { createConfigDir, withoutApprovals } from '../support/config-dir.ts';
import { waitFor } from '../support/wait-for.ts';
import { COLUMNS, createPublishWorld, lineOf, type PublishWorld } from './publish-world.ts';
import { createStepper, type Stepper } from './stepper.ts';

// The same job run by two processes at once, each of which takes the other for dead.
let config: Awaited<ReturnType<typeof createConfigDir>>;
let stepper: Stepper;
let world: PublishWorld;
beforeAll(async () => {
  config = await createConfigDir((policy) => {
    withoutApprovals(policy);
    Object.assign(policy.gates.default, { duplicate_ratio: 1, max_overlap: 1, schema: 1 });
  });
});
beforeEach(async () => {
  stepper = await createStepper('with the events', { BACKFILL_CONFIG_DIR: config.dir });
  world = createPublishWorld(stepper);
});
afterEach(() => stepper.dispose());
afterAll(() => config.remove());

const { signal } = new AbortController();
const lines = (count: number) => Array.from({ length: count }, (_, at) => lineOf(at, `u${at}`));
const told = (work: Promise<void>) =>
  work.then(
    () => 'done',
    (error: Error) => error.name,
  );

/** A door that somebody opens. */
function door(): { opened: Promise<void>; open(): void } {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

async function jobOf(batchId: string, kind: string) {
  const job = (await stepper.dueJobs(batchId)).find((due) => due.kind === kind);
  if (job === undefined) throw new Error(`${batchId} has no ${kind} to do`);
  return job.payload;
}

it('lets no verification move a batch on by results that are not its own', async () => {
  await world.submit('c', lines(50));
  await stepper.change('c', ['awaiting_publish_approval'], 'verifying');
  const job = await jobOf('c', 'verify');
  const { runtime } = stepper;
  const [greenReports, redReports, greenIsOver] = [door(), door(), door()];
  const withReport = (before: () => Promise<void>) => ({
    ...runtime,
    store: {
      ...runtime.store,
      put: async (...given: Parameters<typeof runtime.store.put>) => {
        if (given[1].endsWith('.csv')) await before();
        return runtime.store.put(...given);
      },
    },
  });
  const green = withReport(async () => {
    greenReports.open();
    await redReports.opened;
  });
  const first = told(verifyBatch(green, job, signal)).finally(() => greenIsOver.open());
  await greenReports.opened;
  await stepper.sql.query(
    `update analytics.backfill_import_parts set inserted = inserted - 1, duplicate_same_batch = duplicate_same_batch + 1
      where batch_id = 'c'`,
  );
  const red = withReport(async () => {
    redReports.open();
    await greenIsOver.opened;
  });
  const second = told(verifyBatch(red, job, signal));
  expect(await Promise.all([first, second])).toEqual(['DeferError', 'done']);
  expect(await world.statusOf('c')).toBe('gates_failed');
}, 60_000);

it('lets a publish that comes late alone what is live', async () => {
  await world.submit('b', lines(500));
  await world.go('b');
  const job = await jobOf('b', 'publish');
  await stepper.sql.query(
    `select analytics.ensure_event_day(day) from (
       select distinct (event_ts at time zone 'UTC')::date as day from analytics.events_backfill_staging) as days`,
  );
  const holder = await world.connect();
  await holder.query('begin');
  await holder.query(
    `insert into analytics.events (${COLUMNS})
     select ${COLUMNS} from analytics.events_backfill_staging where batch_id = 'b' order by event_id limit 1`,
  );
  const waiting = (event: string) =>
    waitFor(`a publish to wait for ${event}`, async () => {
      const { rowCount } = await stepper.sql.query(
        'select 1 from pg_stat_activity where datname = current_database() and wait_event = $1',
        [event],
      );
      return rowCount === 1 || undefined;
    });
  const first = told(publishBatch(stepper.runtime, job, signal));
  await waiting('transactionid');
  const second = told(publishBatch(stepper.runtime, job, signal));
  await waiting('advisory');
  await holder.query('rollback');
  await holder.end();
  expect((await Promise.all([first, second])).toSorted()).toEqual(['StaleWorkError', 'done']);
  expect([await world.statusOf('b'), await world.liveRows('b')]).toEqual(['published', 500]);
}, 60_000);
