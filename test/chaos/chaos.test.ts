import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { findCrashPoints } from './crash-points.ts';
import { type ChaosSuite, prepareChaos } from './run-chaos.ts';
import { makeSchedule } from './schedule.ts';

// The short form of the chaos suite; `npm run test:chaos` is the long one.
const SEED = '7';
const FAULTS = 24;
/** Of them, crashes at named points; the long form has them all. */
const CRASHES = 16;
/** With the steps of two-phase commit, which the other layout does not have. */
const LAYOUT = 'in a database of its own';
const LOCK_MS = 1_500;
const NAIVE_IMPORTER = path.join(import.meta.dirname, 'naive-importer.ts');
/** Of the importer's named points those that the naive one passes too. */
const NAIVE_POINTS = ['import:claimed', 'import:staged', 'import:committed', 'import:advanced'];

const lines: string[] = [];
let suite: ChaosSuite;
beforeAll(async () => {
  suite = await prepareChaos({
    ...{ seed: SEED, faults: FAULTS, crashes: CRASHES, events: 4_000, batches: 4 },
    ...{ chunkBytes: 100_000, partLines: 200, lockMs: LOCK_MS, timeoutMs: 500_000, layout: LAYOUT },
    report: (line) => lines.push(line),
  });
}, 400_000);
afterAll(() => suite.stop(), 60_000);

// Beside each other, since much of a run is waiting for locks to expire.
it.concurrent('ends in the rows of an undisturbed run, whatever is killed, frozen, forgotten or cut short', async () => {
  const result = await suite.disturb({ name: 'disturbed', schedule: suite.schedule, layout: LAYOUT });
  expect({ ...result, log: result.problems.length > 0 ? lines : [] }).toEqual({
    given: FAULTS,
    crashesLeft: [],
    problems: [],
    log: [],
  });
}, 600_000);

it.concurrent('finds out an importer that trusts its jobs to run once', async () => {
  const { problems } = await suite.disturb({
    name: 'naive',
    // Nothing else: what is done to the servers for the other run happens to this one too.
    schedule: { faults: [], crashes: NAIVE_POINTS },
    layout: 'with the events',
    importerMain: NAIVE_IMPORTER,
    isSmall: true,
  });
  expect(problems.join('\n')).toMatch(/lines that were staged twice|differs/);
}, 600_000);

it('gives the same faults for the same seed, and others for another', () => {
  const points = findCrashPoints(LAYOUT);
  expect(points.length).toBeGreaterThan(30);
  const schedule = (seed: string) => makeSchedule({ seed, faults: 60, points, lockMs: LOCK_MS });
  expect(schedule('a')).toEqual(schedule('a'));
  expect(schedule('a')).not.toEqual(schedule('b'));
  expect(schedule('a').faults.length + schedule('a').crashes.length).toBe(60);
});
