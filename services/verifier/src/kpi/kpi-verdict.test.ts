import { needsOverride } from '@backfill/core/domain/override';
import { describe, expect, it } from 'vitest';
import { judgeKpi, type KpiFigures, type KpiMeasure } from './kpi-verdict.ts';

const SESSIONS: KpiMeasure = {
  ...{ gate: 'daily_active_sessions', threshold: 0.015, deviation: 'relative', procedure: '', baselineWeeks: 4 },
};
const FUNNEL: KpiMeasure = { ...SESSIONS, gate: 'activation_funnel', threshold: 0.005, deviation: 'absolute' };

const day = (change: Partial<KpiFigures> = {}): KpiFigures => ({
  ...{ day: '2026-11-18', role: 'window', live: 20, proposed: 1_000 },
  ...change,
});
const reference = (value: number) => ({ value, source: 'warehouse' });
const median = (value: number) => ({ value, days: ['2026-11-11', '2026-11-04'] });
const neighbour = (live: number | null, proposed: number | null) =>
  day({ day: '2026-11-17', role: 'neighbour', live, proposed });

function judge(figures: KpiFigures[], measure = SESSIONS) {
  const result = judgeKpi(figures, measure);
  return { ...result, needsOverride: needsOverride(result), why: String(result.detail.why ?? '') };
}

describe('judgeKpi', () => {
  it.each([
    [1_015, true],
    [985.3, true],
    [1_016, false],
    [984, false],
  ])('holds 1,000 sessions against %d', (proposed, passed) => {
    const found = judge([day({ proposed, reference: reference(1_000) })]);
    expect([found.passed, found.needsOverride]).toEqual([passed, false]);
    expect(found.observed).toBeCloseTo(Math.abs(proposed - 1_000) / 1_000);
  });

  it.each([
    [0.305, true],
    [0.2949, false],
    [0.3051, false],
  ])('holds a conversion of 30 %% against %s by their difference', (proposed, passed) => {
    expect(judge([day({ proposed, reference: reference(0.3) })], FUNNEL).passed).toBe(passed);
  });

  it('is as good as its worst day', () => {
    const days = [day({ reference: reference(1_000) }), day({ day: '2026-11-19', reference: reference(900) })];
    const found = judge(days);
    expect([found.passed, found.observed]).toEqual([false, 0.111111111111]);
    expect(found.why).toContain('2026-11-19 1000 against 900');
  });

  it('prefers the reference to the median, and shows both', () => {
    const found = judge([day({ reference: reference(1_000), median: median(500) })]);
    expect(found.passed).toBe(true);
    expect(found.detail.days).toEqual([
      expect.objectContaining({ baseline: 1_000, baseline_source: 'warehouse', median: 500, in_window: true }),
    ]);
  });

  it('does not pass by the median alone, within the threshold or beyond, and says how it could', () => {
    for (const value of [1_000, 500]) {
      const found = judge([day({ median: median(value) })]);
      expect([found.passed, found.needsOverride]).toEqual([false, true]);
      expect(found.observed).toBe((1_000 - value) / value);
      expect(found.why).toContain(`1000 against ${value}; an approval of the stage override lets it decide`);
    }
  });

  it('fails without anything to compare with, which nobody can override', () => {
    const found = judge([day()]);
    expect([found.passed, found.observed, found.needsOverride]).toEqual([false, null, false]);
    expect(found.why).toMatch(/nothing to compare 2026-11-18 with.*references.*not_applicable/);
    const half = judge([day({ median: median(1_000) }), day({ day: '2026-11-19' })]);
    expect([half.passed, half.needsOverride]).toEqual([false, false]);
  });

  it.each([
    [120, 121],
    [120, 119],
    [null, 1],
    [1, null],
  ])('fails when a day outside of the window would move from %j to %j, which nobody can override', (live, proposed) => {
    const found = judge([day({ median: median(1_000) }), neighbour(live, proposed)]);
    expect([found.passed, found.needsOverride]).toEqual([false, false]);
    expect(found.why).toContain('would move, outside of the window');
  });

  it('lets neighbours stay, without data too, and cohorts that the window touches move', () => {
    const touched = day({ day: '2026-11-17', role: 'touched', live: 0.1, proposed: 0.3 });
    const days = [day({ proposed: 0.3, reference: reference(0.3) }), neighbour(null, null), touched];
    expect(judge(days, FUNNEL).passed).toBe(true);
    expect(judge([day({ reference: reference(1_000) }), neighbour(120, 120)]).passed).toBe(true);
  });

  it('takes a day without a row as none', () => {
    expect(judge([day({ proposed: null, reference: reference(0) })])).toMatchObject({ passed: true, observed: 0 });
    expect(judge([day({ proposed: null, reference: reference(10) })])).toMatchObject({ passed: false, observed: 1 });
    expect(judge([day({ proposed: 3, reference: reference(0) })])).toMatchObject({ passed: false, observed: 3 });
  });

  it('names the first days only', () => {
    const days = Array.from({ length: 9 }, (_, index) => day({ day: `2026-11-0${index + 1}` }));
    expect(judge(days).why).toContain('2026-11-01, 2026-11-02, 2026-11-03 and 6 more');
  });
});
