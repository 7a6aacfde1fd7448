import { expect, it } from 'vitest';
import { formatDuration } from './format-duration.ts';

it.each([
  [0, '1 s'],
  [8.4, '8 s'],
  [99, '99 s'],
  [100, '2 min'],
  [5_900, '98 min'],
  [7_800, '2 h 10 min'],
  [10_800, '3 h'],
  [273_600, '3 d 4 h'],
])('%d s: %s', (seconds, text) => {
  expect(formatDuration(seconds)).toBe(text);
});
