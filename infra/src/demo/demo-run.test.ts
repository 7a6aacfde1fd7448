import { describe, expect, it } from 'vitest';
import { lostDay, nextDemoRun } from './demo-run.ts';

const DAY_MS = 86_400_000;
const NOW_MS = Date.parse('2026-11-23T04:00:00Z');

describe('nextDemoRun', () => {
  it('counts on from the highest batch there is', () => {
    expect(nextDemoRun([], NOW_MS)).toEqual({
      number: 1,
      seed: 'demo 1',
      day: '2026-11-18',
      appBatch: 'demo-app-1',
      webBatch: 'demo-web-1',
    });
    expect(nextDemoRun(['demo-app-2', 'my-demo-app-9', 'demo-web-3'], NOW_MS).number).toBe(4);
  });

  it.each(Array.from({ length: 7 }, (_, index) => index))(
    'loses Wednesdays of the last 80 days, on day %d',
    (index) => {
      const nowMs = NOW_MS + index * DAY_MS;
      const days = Array.from({ length: 10 }, (_, done) => nextDemoRun(done === 0 ? [] : [`demo-app-${done}`], nowMs));
      for (const run of days) {
        const { startMs, endMs } = lostDay(run);
        expect(new Date(startMs).getUTCDay()).toBe(3);
        expect(nowMs - startMs).toBeLessThan(80 * DAY_MS);
        expect(nowMs - endMs).toBeGreaterThan(DAY_MS);
      }
      expect(new Set(days.map(({ day }) => day)).size).toBe(10);
    },
  );

  it('begins again after ten runs, with other people', () => {
    const first = nextDemoRun([], NOW_MS);
    const eleventh = nextDemoRun(['demo-app-10'], NOW_MS);
    expect(eleventh.day).toBe(first.day);
    expect(eleventh.seed).not.toBe(first.seed);
  });
});
