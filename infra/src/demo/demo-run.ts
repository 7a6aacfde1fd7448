const DAY_MS = 86_400_000;
/** A whole week per run, so that each lost day has days of normal traffic around it. */
const BLOCK_DAYS = 7;
/** With the newest block this stays within 80 days; older ones are used again, for other people. */
const BLOCKS = 10;
/** The newest lost day is so old at least: its neighbours are over as well. */
const LEAST_AGE_DAYS = 3;
const WEDNESDAY = 3;
const DEMO_BATCH = /^demo-(?:app|web)-([1-9]\d{0,8})$/;

/** One run of the demo: its own batches, people and lost day. */
export interface DemoRun {
  /** Counts the runs on one state directory from 1. */
  number: number;
  seed: string;
  /** The lost UTC day: `2026-08-05`. */
  day: string;
  appBatch: string;
  webBatch: string;
}

/**
 * Plans the next run after those whose batches exist. A run loses one Wednesday; runs go back in
 * time week by week, so that their windows do not overlap.
 */
export function nextDemoRun(batchIds: readonly string[], nowMs: number): DemoRun {
  const numbers = batchIds.map((id) => Number(DEMO_BATCH.exec(id)?.[1] ?? 0));
  const number = Math.max(0, ...numbers) + 1;
  const newest = newestWednesday(nowMs - LEAST_AGE_DAYS * DAY_MS);
  const dayMs = newest - ((number - 1) % BLOCKS) * BLOCK_DAYS * DAY_MS;
  return {
    number,
    seed: `demo ${number}`,
    day: new Date(dayMs).toISOString().slice(0, 10),
    appBatch: `demo-app-${number}`,
    webBatch: `demo-web-${number}`,
  };
}

/** `[start, end)` of the lost day in ms since 1970. */
export function lostDay(run: DemoRun): { startMs: number; endMs: number } {
  const startMs = Date.parse(`${run.day}T00:00:00Z`);
  return { startMs, endMs: startMs + DAY_MS };
}

function newestWednesday(timeMs: number): number {
  const midnightMs = Math.floor(timeMs / DAY_MS) * DAY_MS;
  const daysSince = (new Date(midnightMs).getUTCDay() - WEDNESDAY + 7) % 7;
  return midnightMs - daysSince * DAY_MS;
}
