import { describe, expect, it } from 'vitest';
import { freshnessGate } from './freshness-gate.ts';

const WINDOW = { window_start: new Date('2026-11-01T00:00:00Z'), window_end: new Date('2026-11-02T00:00:00Z') };
const at = (time: string) => new Date(`2026-11-01T${time}Z`);

describe('freshnessGate', () => {
  it.each([
    [at('23:30:00'), null, 30, true],
    [at('23:29:59'), null, 30 + 1 / 60, false],
    [null, at('23:59:59'), 1 / 60, true],
    [at('12:00:00'), at('23:45:00'), 15, true],
    [null, null, 1_440, false],
    [new Date('2026-11-02T00:00:01Z'), null, 0, true],
  ])('latest delivered %j, live %j: %d minutes', (delivered, stored, minutes, passed) => {
    const result = freshnessGate({ ...WINDOW, delivered, stored }, 30);
    expect(result.observed).toBeCloseTo(minutes);
    expect(result.passed).toBe(passed);
    expect(result.detail.why === undefined).toBe(passed);
  });
});
