import { expect, it } from 'vitest';
import { waitDelayMs } from './wait-delay.ts';

it.each([
  [-50, 5_000],
  [0, 5_000],
  [80_000, 20_000],
  [86_400_000, 60_000],
])('asks again %d ms after the submission in %d ms', (waited, delay) => {
  expect(waitDelayMs(waited)).toBe(delay);
});
