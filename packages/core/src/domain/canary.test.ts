import { expect, it } from 'vitest';
import { canaryProblem } from './canary.ts';

it('passes a part that is whole, an empty one too', () => {
  expect(canaryProblem({ staged: 1000, expected: 1000, same_batch: 3 })).toBeUndefined();
  expect(canaryProblem({ staged: 0, expected: 0, same_batch: 0 })).toBeUndefined();
});

it('names lost rows and mass repeats', () => {
  expect(canaryProblem({ staged: 999, expected: 1000, same_batch: 0 })).toMatch('999 staged');
  expect(canaryProblem({ staged: 1000, expected: 1000, same_batch: 500 })).toMatch('repeat each other');
});
