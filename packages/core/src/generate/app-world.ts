import { type AppRecord, objectorSession, returningSession, visitorSession } from './app-session.ts';
import { createRandom } from './random.ts';

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

/** Sizes of the made-up app. The same options give the same records. */
export interface AppWorldOptions {
  seed: string;
  /** The UTC date on which the lost window begins, at midnight: `2026-03-14`. */
  day: string;
  /** Length of the lost window. */
  windowHours: number;
  /** Sessions of an average working day, about seven records each. */
  sessionsPerDay: number;
}

/** `[start, end)` of the lost window in ms since 1970. */
export function lostWindow(options: AppWorldOptions): { startMs: number; endMs: number } {
  const startMs = Date.parse(`${options.day}T00:00:00Z`);
  if (Number.isNaN(startMs)) throw new RangeError('the day is not a date like 2026-03-14');
  return { startMs, endMs: startMs + options.windowHours * HOUR_MS };
}

/** Relative traffic per UTC hour of a product used in central Europe. */
const RHYTHM = [1, 1, 1, 1, 2, 4, 8, 13, 17, 18, 17, 15, 15, 17, 17, 15, 12, 9, 8, 7, 6, 4, 3, 2];
const RHYTHM_SUM = RHYTHM.reduce((sum, weight) => sum + weight, 0);
const WEEKEND_SHARE = 0.45;
const RETURNING_SHARE = 0.4;
const OBJECTOR_EVERY_HOURS = 4;

/**
 * The records of the sessions that began in one hour, in the order of their times. They may
 * reach into the next hour, never beyond it. Hours do not depend on one another.
 */
export function appRecordsOfHour(options: AppWorldOptions, hourStartMs: number): AppRecord[] {
  const random = createRandom(`app ${options.seed} ${hourStartMs}`);
  const date = new Date(hourStartMs);
  const hour = date.getUTCHours();
  const isWeekend = date.getUTCDay() === 0 || date.getUTCDay() === 6;
  const share = ((RHYTHM[hour] ?? 0) / RHYTHM_SUM) * (isWeekend ? WEEKEND_SHARE : 1);
  const sessions = Math.round(options.sessionsPerDay * share * (0.9 + random.int(200) / 1_000));
  const records: AppRecord[] = [];
  for (let session = 0; session < sessions; session++) {
    const startMs = hourStartMs + random.int(HOUR_MS);
    const isReturning = random.chance(RETURNING_SHARE);
    records.push(...(isReturning ? returningSession : visitorSession)(random, startMs));
  }
  if (hour % OBJECTOR_EVERY_HOURS === 0) {
    records.push(...objectorSession(random, hourStartMs + random.int(HOUR_MS)));
  }
  return records.sort((a, b) => a.timeMs - b.timeMs);
}
