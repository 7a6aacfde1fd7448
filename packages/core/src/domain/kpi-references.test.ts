import { describe, expect, it } from 'vitest';
import type { KpiReference } from './kpi.ts';
import { referenceProblems, referencesOutside } from './kpi-references.ts';

const reference = (change: Partial<KpiReference> = {}): KpiReference => ({
  ...{ kpi: 'daily_active_sessions', day: '2026-11-01', value: 100, source: 'warehouse' },
  ...change,
});

describe('referenceProblems', () => {
  it('takes several KPIs, days, and two sources that agree', () => {
    const funnel = reference({ kpi: 'activation_funnel', value: 0.25 });
    expect(
      referenceProblems([
        reference(),
        reference({ source: 'logs' }),
        reference({ day: '2026-11-02', value: 0 }),
        funnel,
      ]),
    ).toEqual([]);
  });

  it.each([
    ['a negative value', [reference({ value: -1 })], 0, 'negative'],
    ['per cent', [reference({ kpi: 'activation_funnel', value: 25 })], 0, 'share from 0 to 1'],
    ['a contradiction', [reference(), reference({ value: 101 })], 1, 'contradicts references.0.value'],
  ])('names %s', (_what, references, index, message) => {
    expect(referenceProblems(references)).toEqual([
      { index, field: 'value', message: expect.stringContaining(message) },
    ]);
  });
});

it('names days that the window does not touch in the KPIs’ time zone', () => {
  const window = { startMs: Date.parse('2026-11-01T00:00:00Z'), endMs: Date.parse('2026-11-01T23:00:00Z') };
  const references = ['2026-10-31', '2026-11-01', '2026-11-02'].map((day) => ({ day }));
  const outside = (zone: string) => referencesOutside(references, window, zone).map(({ index }) => index);
  expect(outside('Europe/Berlin')).toEqual([0, 2]);
  expect(outside('America/New_York')).toEqual([2]);
  expect(referencesOutside([{ day: '2025-01-01' }], window, 'UTC')[0]?.message).toContain('2026-11-01 to 2026-11-01');
});
