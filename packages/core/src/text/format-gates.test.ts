import { expect, it } from 'vitest';
import { formatGates } from './format-gates.ts';

it('sets the observed value against the threshold', () => {
  const gates = [
    { gate: 'duplicates', observed: 0.0019000001, threshold: 0.001, passed: false },
    { gate: 'schema', observed: 1, threshold: 1, passed: true },
    { gate: 'kpi', observed: null, threshold: 0.02, passed: false },
    { gate: 'funnel', observed: 0, threshold: 0.005, passed: true, detail: { not_applicable: 'no sign-ups' } },
  ];
  expect(formatGates(gates)).toEqual([
    'gate        observed  threshold',
    'duplicates    0.0019      0.001  FAILED',
    'schema             1          1  passed',
    'kpi                –       0.02  FAILED',
    'funnel             –      0.005  not applicable',
  ]);
});
