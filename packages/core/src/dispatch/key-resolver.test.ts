import { expect, it } from 'vitest';
import { isInDoubt } from './key-resolver.ts';

it.each([
  ['just now', 0.4, false],
  ['some time ago', 2, true],
  ['before the clock was set back', -86_000, true],
])('keys that were prepared %s', (_when, ageSeconds, isDoubtful) => {
  expect(isInDoubt(ageSeconds)).toBe(isDoubtful);
});
