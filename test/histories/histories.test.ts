import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WINDOW } from '../support/app-events.ts';
import { createConfigDir, withoutApprovals } from '../support/config-dir.ts';
import { KEY_LAYOUTS } from '../support/environment.ts';
import { History, type StoredEvent } from './history.ts';
import { EVENTS, input, replaced, step, textOf } from './history-steps.ts';
import { createStepper } from './stepper.ts';

// Random histories of several batches with the same events and people, against a model that fits on a page.
/** Histories per layout of the dedup store. */
const RUNS = Number(process.env.HISTORIES ?? 4);
const SEED = Number(process.env.HISTORIES_SEED ?? 1);
/** For the search of a short history that fails too. */
const TIME_LIMIT_MS = Math.max(300_000, RUNS * 60_000);
const SETTINGS = { TRANSFORMER_PART_LINES: '2', TRANSFORMER_CHUNK_BYTES: '300' };

let config: Awaited<ReturnType<typeof createConfigDir>>;
let settings: Record<string, string>;
/** By the number of the event. */
let stored: StoredEvent[];

beforeAll(async () => {
  config = await createConfigDir((policy) => {
    withoutApprovals(policy);
    Object.assign(policy.gates.default, { duplicate_ratio: 1, max_overlap: 1, schema: 1, max_newly_suppressed: 1 });
  });
  settings = { ...SETTINGS, BACKFILL_CONFIG_DIR: config.dir };
  const stepper = await createStepper('with the events', settings);
  const all = Array.from({ length: EVENTS }, (_, number) => number);
  await stepper.submit({ batchId: 'probe', source: 'app', window: WINDOW }, { 'a.ndjson': textOf(all) });
  for (let due = await stepper.dueJobs('probe'); due[0] !== undefined; due = await stepper.dueJobs('probe')) {
    await stepper.run(due[0]);
  }
  // payload as text: its bytes are part of the event's identity.
  const { rows } = await stepper.sql.query<StoredEvent>(
    `select s.event_id, s.source, s.event_name, s.schema_version, s.event_ts, s.session_id, s.subject_id,
            s.payload::text as payload
       from analytics.events_backfill_staging s
       join analytics.backfill_lineage l using (batch_id, event_id) order by l.line_no`,
  );
  stored = rows;
  await stepper.dispose();
  expect(stored.length).toBe(EVENTS);
});
afterAll(() => config.remove());

it.each(KEY_LAYOUTS)(
  'holds the live events, the keys and the suppressed people of the model after every step, keys %s',
  async (layout) => {
    await fc.assert(
      fc.asyncProperty(
        input,
        replaced,
        // Of all lengths alike: what a few short ones do is soon told.
        fc.noBias(fc.array(step, { minLength: 1, maxLength: 70, size: 'max' })),
        async (lines, targets, steps) => {
          const stepper = await createStepper(layout, settings);
          try {
            const history = new History(stepper, stored, lines, targets);
            await history.submitAll();
            for (const taken of steps) {
              await history.take(taken);
              await history.compare();
            }
            await history.end();
          } finally {
            await stepper.dispose();
          }
        },
      ),
      { numRuns: RUNS, seed: SEED, interruptAfterTimeLimit: TIME_LIMIT_MS, markInterruptAsFailure: true },
    );
  },
  2 * TIME_LIMIT_MS,
);
