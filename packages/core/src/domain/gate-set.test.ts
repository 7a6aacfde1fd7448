import { expect, it } from 'vitest';
import type { GateResult } from './gate-result.ts';
import { gateSetHash } from './gate-set.ts';

const RESULT: GateResult = {
  ...{ gate: 'overlap', threshold: 0.001, observed: 0, passed: true, procedure: 'select 0' },
  detail: { staged: 20, examples: [] },
};
const OTHER: GateResult = { ...RESULT, gate: 'balance' };
const form = (results: GateResult[], change: object = {}) =>
  gateSetHash({ planHash: 'p', rowsDigest: 'r', results, ...change });
const SIGNED = form([RESULT, OTHER]);

it('is one for the same results in any order, also as the database gives them back', () => {
  expect(form([OTHER, RESULT])).toBe(SIGNED);
  const stored = { ...RESULT, detail: { examples: [], staged: 20, why: undefined }, measured_at: new Date() };
  expect(form([OTHER, stored])).toBe(SIGNED);
});

it.each<[string, GateResult[], object?]>([
  ['threshold', [{ ...RESULT, threshold: 0.01 }, OTHER]],
  ['observation', [{ ...RESULT, observed: null }, OTHER]],
  ['verdict', [{ ...RESULT, passed: false }, OTHER]],
  ['procedure', [{ ...RESULT, procedure: 'select 1' }, OTHER]],
  ['figures', [{ ...RESULT, detail: { staged: 21, examples: [] } }, OTHER]],
  ['gates', [RESULT]],
  ['plan', [RESULT, OTHER], { planHash: 'q' }],
  ['rows', [RESULT, OTHER], { rowsDigest: 's' }],
])('is another one for another %s', (_what, results, change) => {
  expect(form(results, change)).not.toBe(SIGNED);
});
