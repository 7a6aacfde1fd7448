import fc from 'fast-check';
import { expect, it } from 'vitest';
import { compactUtc, isoUtc } from './utc-text.ts';

const LAST_TIME_MS = 253_402_300_799_999;

it('writes times as Date does, whatever came before', () => {
  const nearby = fc.integer({ min: 0, max: LAST_TIME_MS - 200_000 }).chain((start) =>
    fc.array(
      fc.integer({ min: 0, max: 200_000 }).map((offset) => start + offset),
      { minLength: 1 },
    ),
  );
  fc.assert(
    fc.property(nearby, (times) => {
      for (const time of [...times, 0, LAST_TIME_MS]) {
        const iso = new Date(time).toISOString();
        expect([isoUtc(time), compactUtc(time)]).toEqual([iso, iso.replace(/[-:.TZ]/g, '')]);
      }
    }),
  );
});
