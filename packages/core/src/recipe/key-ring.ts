import { createSecretKey, type KeyObject } from 'node:crypto';
import type { Policy } from '../config/policy.ts';
import { localMidnightMs } from '../domain/local-midnight.ts';
import { keyCheck } from './pseudonym.ts';

/** Key version → key. A key whose last events have expired may be gone. */
export type KeyRing = ReadonlyMap<number, KeyObject>;

/** From `fromMs` on (null: from the beginning of time), until the next period begins, events take this key. */
export interface KeyPeriod {
  version: number;
  fromMs: number | null;
}

/** What a recipe pins about keys. */
export interface RecipeKeys {
  /** In order of time; without those that begin after the window. */
  periods: KeyPeriod[];
  /** Key version → check value, of every key that the window can need. */
  checks: Record<string, string>;
  /** Later events may not choose a key; null where the window ends before that. */
  latestEventMs: number | null;
}

/** Turns secrets into keys. */
export function createKeyRing(salts: ReadonlyMap<number, Buffer>): KeyRing {
  return new Map([...salts].map(([version, secret]) => [version, createSecretKey(secret)]));
}

/** What to say when a key is not the one that what is stored was made with. */
export function otherKeyMessage(version: number | string): string {
  return (
    `analytics_salt has another key version ${version} than the stored pseudonyms were made with: put the key of then ` +
    'into ANALYTICS_SALT_FILE and restart, then resume'
  );
}

/** The version of the key that pseudonymises an event of this time (ms). Periods in order of time. */
export function keyVersionAt(periods: readonly KeyPeriod[], eventTsMs: number): number {
  for (let index = periods.length - 1; index > 0; index--) {
    const period = periods[index];
    if (period !== undefined && eventTsMs >= (period.fromMs ?? 0)) return period.version;
  }
  return periods[0]?.version ?? 1;
}

/**
 * Works out which keys the events of a window need, with their check values.
 *
 * @throws RangeError naming a key version that is needed and not in the ring
 */
export function pinRecipeKeys(
  policy: Pick<Policy, 'privacy'> & { kpi: Pick<Policy['kpi'], 'time_zone'> },
  ring: KeyRing,
  given: { windowStartMs: number; windowEndMs: number; retentionCutoffMs: number | null; nowMs: number },
): RecipeKeys {
  const startMs = Math.max(given.windowStartMs, given.retentionCutoffMs ?? given.windowStartMs);
  const skewEndMs = given.nowMs + policy.privacy.future_skew_minutes * 60_000;
  const endMs = Math.max(Math.min(given.windowEndMs, skewEndMs + 1), startMs + 1);
  const periods = policy.privacy.key_periods
    .map(({ version, from }) => ({
      version,
      fromMs: from === undefined ? null : localMidnightMs(from, policy.kpi.time_zone),
    }))
    .filter(({ fromMs }) => fromMs === null || fromMs < endMs);
  const checks: Record<string, string> = {};
  for (const [index, { version }] of periods.entries()) {
    const untilMs = periods[index + 1]?.fromMs ?? Number.POSITIVE_INFINITY;
    if (untilMs <= startMs) continue;
    const key = ring.get(version);
    if (key === undefined)
      throw new RangeError(`analytics_salt has no key version ${version}, which this window needs`);
    checks[version] = keyCheck(key);
  }
  return { periods, checks, latestEventMs: given.windowEndMs <= skewEndMs ? null : skewEndMs };
}
