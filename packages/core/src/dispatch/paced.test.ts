import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { paced } from './paced.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

it('runs at once, and then at most every so often, also when the clock is set back', async () => {
  let runs = 0;
  const run = paced(3_000, async () => {
    runs += 1;
  });
  await run();
  await run();
  expect(runs).toBe(1);
  vi.advanceTimersByTime(3_000);
  vi.setSystemTime(Date.now() - 86_400_000);
  await run();
  expect(runs).toBe(2);
});
