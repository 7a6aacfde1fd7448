import { describe, expect, it } from 'vitest';
import { privacyPolicySchema } from '../config/privacy-policy.ts';
import { createKeyRing, keyVersionAt, pinRecipeKeys } from './key-ring.ts';
import { keyCheck } from './pseudonym.ts';

const policy = {
  kpi: { time_zone: 'Europe/Berlin' },
  privacy: privacyPolicySchema.parse({
    key_periods: [{ version: 1 }, { version: 3, from: '2026-04-01' }, { version: 4, from: '2026-07-01' }],
  }),
};
const keys = createKeyRing(new Map([1, 3, 4].map((version) => [version, Buffer.from(`secret number ${version}`)])));
const APRIL = Date.parse('2026-03-31T22:00:00Z');
const JULY = Date.parse('2026-06-30T22:00:00Z');
const DAY_MS = 86_400_000;
const window = (from: number, to: number) => ({
  windowStartMs: from,
  windowEndMs: to,
  retentionCutoffMs: null,
  nowMs: JULY + 30 * DAY_MS,
});

describe('the key of an event', () => {
  it('changes at local midnight', () => {
    const { periods } = pinRecipeKeys(policy, keys, window(0, JULY + DAY_MS));
    const versions = [0, APRIL - 1, APRIL, JULY - 1, JULY, JULY + DAY_MS];
    expect(versions.map((ms) => keyVersionAt(periods, ms))).toEqual([1, 1, 3, 3, 4, 4]);
  });
});

describe('the keys of a recipe', () => {
  it('are those that its window needs, with their check values', () => {
    const checks = (from: number, to: number) => Object.keys(pinRecipeKeys(policy, keys, window(from, to)).checks);
    expect(checks(APRIL - DAY_MS, APRIL)).toEqual(['1']);
    expect(checks(APRIL - 1, APRIL + 1)).toEqual(['1', '3']);
    expect(checks(APRIL, JULY)).toEqual(['3']);
    const pinned = pinRecipeKeys(policy, keys, window(JULY, JULY + DAY_MS));
    expect(pinned.checks).toEqual({ 4: keyCheck(keys.get(4) as never) });
  });

  it('do not change with a later rotation', () => {
    const { key_periods: periods } = policy.privacy;
    const before = { ...policy, privacy: { ...policy.privacy, key_periods: periods.slice(0, 2) } };
    const march = window(APRIL - DAY_MS, APRIL);
    expect(pinRecipeKeys(policy, keys, march)).toEqual(pinRecipeKeys(before, keys, march));
  });

  it('may be gone where all events have expired, and nowhere else', () => {
    const young = new Map([...keys].filter(([version]) => version > 1));
    expect(() => pinRecipeKeys(policy, young, window(APRIL - 1, JULY))).toThrow(/no key version 1/);
    const pinned = pinRecipeKeys(policy, young, { ...window(0, JULY), retentionCutoffMs: APRIL });
    expect(Object.keys(pinned.checks)).toEqual(['3']);
  });

  it('are not chosen by times from the future', () => {
    const nowMs = JULY - DAY_MS;
    const future = pinRecipeKeys(policy, keys, { ...window(APRIL, JULY + DAY_MS), nowMs });
    expect(future.latestEventMs).toBe(nowMs + 3_600_000);
    expect(Object.keys(future.checks)).toEqual(['3']);
    expect(pinRecipeKeys(policy, keys, window(APRIL, JULY)).latestEventMs).toBeNull();
  });
});

describe('key periods', () => {
  it.each([
    ['none', []],
    ['a first one with a beginning', [{ version: 1, from: '2026-01-01' }]],
    ['a second one without', [{ version: 1 }, { version: 2 }]],
    ['two of a version', [{ version: 1 }, { version: 1, from: '2026-01-01' }]],
    ['two of a day', [{ version: 1 }, { version: 2, from: '2026-01-01' }, { version: 3, from: '2026-01-01' }]],
    ['a day that is none', [{ version: 1 }, { version: 2, from: '2026-02-30' }]],
  ])('are refused: %s', (_, key_periods) => {
    expect(privacyPolicySchema.safeParse({ key_periods }).success).toBe(false);
  });
});
