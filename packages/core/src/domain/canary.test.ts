import { expect, it } from 'vitest';
import { canaryProblem } from './canary.ts';

const good = { lines: 1000, quarantined: 0, main_reason: null, expected: 1000, staged: 1000, same_batch: 3 };

it('passes a part that is whole, an empty one too', () => {
  expect(canaryProblem(good)).toBeUndefined();
  expect(canaryProblem({ ...good, lines: 0, expected: 0, staged: 0, same_batch: 0 })).toBeUndefined();
});

it('names lost rows, mass repeats, and a part that nobody can read', () => {
  expect(canaryProblem({ ...good, staged: 999 })).toMatch('999 staged');
  expect(canaryProblem({ ...good, same_batch: 500 })).toMatch('repeat each other');
  const garbage = { ...good, quarantined: 1000, main_reason: 'parse: not_json', expected: 0, staged: 0, same_batch: 0 };
  expect(canaryProblem(garbage)).toMatch('none of the first 1000 lines can be read (parse: not_json)');
});
