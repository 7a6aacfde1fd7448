import { expect, it } from 'vitest';
import { duplicateRatio } from './duplicate-ratio.ts';

it('counts repeats, and overlap beyond what is allowed', () => {
  expect(duplicateRatio({ staged: 1_000, same_batch: 2, overlap: 0 }, 0.001)).toBe(0.002);
  expect(duplicateRatio({ staged: 1_000, same_batch: 0, overlap: 1 }, 0.001)).toBe(0);
  expect(duplicateRatio({ staged: 1_000, same_batch: 1, overlap: 5 }, 0.001)).toBe(0.005);
  expect(duplicateRatio({ staged: 1_000, same_batch: 1, overlap: 500 }, 0.5)).toBe(0.001);
  expect(duplicateRatio({ staged: 0, same_batch: 0, overlap: 0 }, 0.001)).toBe(0);
});
