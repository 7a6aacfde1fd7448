import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventId } from './event-id.ts';

describe('eventId', () => {
  it('is source, UTC time to the millisecond and the sha256 of the payload', () => {
    // printf '{}' | sha256sum
    expect(eventId('app', Date.UTC(2009, 1, 13, 23, 31, 30, 123), '{}')).toBe(
      'app:20090213233130123:\\x44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',
    );
  });

  it('hashes the payload as UTF-8', () => {
    // printf '€' | sha256sum
    expect(eventId('a', 0, '€')).toBe(
      'a:19700101000000000:\\xc4cc90ed3d26f12d4b08a75140970a7904035c31cbb4515a83f19b9003c00d1d',
    );
  });

  it('writes times in any order as JavaScript does', () => {
    const times = fc.array(fc.integer({ min: 0, max: 253_402_300_799_999 }));
    fc.assert(
      fc.property(times, (list) => {
        for (const timeMs of list.flatMap((time) => [time, time - (time % 60_000), time])) {
          const digits = new Date(timeMs).toISOString().replace(/[-:.TZ]/g, '');
          expect(eventId('a', timeMs, '').split(':')[1]).toBe(digits);
        }
      }),
    );
  });

  it('has four digits for every year up to 9999', () => {
    expect(eventId('a', 253_402_300_799_999, '')).toMatch(/^a:99991231235959999:/);
  });
});
