import { expect, it } from 'vitest';
import { RateMeter } from './rate-meter.ts';

/** A meter that has seen these counts, one a second. */
function after(...counts: number[]): RateMeter {
  const meter = new RateMeter();
  for (const [second, count] of counts.entries()) meter.see(second * 1_000, count);
  return meter;
}

it('says nothing about too little', () => {
  expect(after().rate(0)).toBeUndefined();
  expect(after(0, 100).rate(1_999)).toBeUndefined();
});

it('is what was done, by the time it took', () => {
  expect(after(0, 100, 200, 400).rate(4_000)).toBe(100);
});

it('falls while nothing is done', () => {
  expect(after(0, 100, 200).rate(20_000)).toBe(10);
});

it('forgets what was long ago', () => {
  const meter = after(0, 1_000_000);
  for (let second = 2; second <= 60; second += 1) meter.see(second * 1_000, 1_000_000 + second);
  expect(meter.rate(60_000)).toBeCloseTo(1, 1);
});

it('begins anew with a count that went back', () => {
  const meter = after(500, 600, 700, 0, 10, 20);
  expect(meter.rate(5_000)).toBe(10);
});
