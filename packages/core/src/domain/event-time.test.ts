import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseEventTime, parseZoneOffset, type TimeFormat } from './event-time.ts';
import type { JsonValue } from './json.ts';

const T = Date.UTC(2015, 4, 17, 10, 5, 3);

describe('parseEventTime', () => {
  it.each<[TimeFormat, JsonValue, number]>([
    ['iso', '2015-05-17T10:05:03Z', T],
    ['iso', '2015-05-17T10:05:03.1Z', T + 100],
    ['iso', '2015-05-17T10:05:03.123999999Z', T + 123],
    ['iso', '2015-05-17T10:05:03,9999Z', T + 999],
    ['iso', '2015-05-17t10:05:03z', T],
    ['iso', '2015-05-17 10:05:03+00:00', T],
    ['iso', '2015-05-17T12:05:03+02:00', T],
    ['iso', '2015-05-17T12:05:03+0200', T],
    ['iso', '2015-05-17T12:05:03+02', T],
    ['iso', '2015-05-17T04:35:03-05:30', T],
    ['iso', '2015-05-17T10:05Z', T - 3_000],
    ['iso', '2016-02-29T00:00:00Z', Date.UTC(2016, 1, 29)],
    ['iso', '2000-02-29T00:00:00Z', Date.UTC(2000, 1, 29)],
    ['iso', '1970-01-01T00:00:00Z', 0],
    ['iso', '1969-12-31T23:00:00-01:00', 0],
    ['iso', '9999-12-31T23:59:59.999Z', 253_402_300_799_999],
    ['clf', '17/May/2015:10:05:03 +0000', T],
    ['clf', '17/May/2015:12:05:03 +0200', T],
    ['epoch-s', 1_431_857_103, T],
    ['epoch-s', '1431857103', T],
    ['epoch-s', 1_431_857_103.001, T + 1],
    ['epoch-s', 1_431_857_103.9999, T + 999],
    ['epoch-s', '1431857103.0019', T + 1],
    ['epoch-ms', 1_431_857_103_001, T + 1],
    ['epoch-ms', '1431857103001.9', T + 1],
    ['epoch-us', 1_431_857_103_001_999, T + 1],
    ['epoch-us', '1431857103001999', T + 1],
    ['epoch-ns', '1431857103001000000', T + 1],
    ['epoch-ns', '1431857103001999999', T + 1],
  ])('reads %s %j', (format, value, expected) => {
    expect(parseEventTime(value, format)).toBe(expected);
  });

  it.each<[TimeFormat, JsonValue | undefined, string]>([
    ['iso', undefined, 'missing'],
    ['iso', null, 'missing'],
    ['iso', '', 'missing'],
    ['iso', 'yesterday', 'unreadable'],
    ['iso', '2015-05-17', 'unreadable'],
    ['iso', '2015-05-17T10:05:03.Z', 'unreadable'],
    ['iso', '2015-05-17T10:05:03ZZ', 'unreadable'],
    ['iso', '2015-05-17T10:05:03+1', 'unreadable'],
    ['iso', '2015-05-17T10:05:03+25:00', 'unreadable'],
    ['iso', '2015-05-17T1o:05:03Z', 'unreadable'],
    ['iso', '２０１５-05-17T10:05:03Z', 'unreadable'],
    ['iso', 1_431_857_103, 'unreadable'],
    ['iso', { $date: '2015-05-17T10:05:03Z' }, 'unreadable'],
    ['iso', '2015-05-17T10:05:03', 'no_zone'],
    ['iso', '2015-02-30T10:05:03Z', 'impossible'],
    ['iso', '2015-02-29T10:05:03Z', 'impossible'],
    ['iso', '1900-02-29T10:05:03Z', 'out_of_range'],
    ['iso', '2015-13-01T10:05:03Z', 'impossible'],
    ['iso', '2015-00-01T10:05:03Z', 'impossible'],
    ['iso', '2015-05-17T24:00:00Z', 'impossible'],
    ['iso', '2015-05-17T23:60:00Z', 'impossible'],
    ['iso', '2015-05-17T23:59:60Z', 'impossible'],
    ['iso', '1969-12-31T23:59:59Z', 'out_of_range'],
    ['iso', '9999-12-31T23:59:59-01:00', 'out_of_range'],
    ['clf', '30/Feb/2015:10:05:03 +0000', 'impossible'],
    ['clf', '17/Mai/2015:10:05:03 +0000', 'unreadable'],
    ['clf', '17/ayJ/2015:10:05:03 +0000', 'unreadable'],
    ['clf', '17/May/2015:10:05:03', 'no_zone'],
    ['clf', '17/May/2015:10:05:03 UTC', 'unreadable'],
    ['epoch-s', -1, 'out_of_range'],
    ['epoch-s', '1e9', 'unreadable'],
    ['epoch-s', true, 'unreadable'],
    ['epoch-ns', Number('1431857103001000000'), 'unreadable'],
    ['epoch-ms', '9999999999999999', 'out_of_range'],
    ['epoch-s', 1e18, 'unreadable'],
    ['epoch-ms', 253_402_300_800_000, 'out_of_range'],
  ])('refuses %s %j as %s', (format, value, failure) => {
    expect(parseEventTime(value, format)).toBe(failure);
  });

  it('takes the configured offset where the time names none', () => {
    const offset = parseZoneOffset('+02:00');
    expect(parseEventTime('2015-05-17T12:05:03', 'iso', offset)).toBe(T);
    expect(parseEventTime('17/May/2015:12:05:03', 'clf', offset)).toBe(T);
    expect(parseEventTime('2015-05-17T10:05:03Z', 'iso', offset)).toBe(T);
  });

  it('reads back every time that JavaScript writes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 253_402_300_799_999 }), (timeMs) => {
        const written = new Date(timeMs).toISOString();
        expect(parseEventTime(written, 'iso')).toBe(timeMs);
        expect(parseEventTime(`${written.slice(0, -1)}999999Z`, 'iso')).toBe(timeMs);
        const seconds = `${Math.floor(timeMs / 1000)}.${written.slice(20, 23)}`;
        expect(parseEventTime(seconds, 'epoch-s')).toBe(timeMs);
      }),
    );
  });

  it('answers any text with a time in range or a failure', () => {
    const formats = fc.constantFrom<TimeFormat>('iso', 'clf', 'epoch-s', 'epoch-ms');
    const noise = fc.array(fc.constantFrom('2', '0', '1', '-', ':', '.', 'T', 'Z', '+', '/', ' '));
    fc.assert(
      fc.property(formats, noise, (format, pieces) => {
        const time = parseEventTime(pieces.join(''), format);
        if (typeof time === 'number') expect(Number.isInteger(time) && time >= 0).toBe(true);
      }),
    );
  });
});

describe('parseZoneOffset', () => {
  it('reads offsets in ms and nothing else', () => {
    expect(parseZoneOffset('Z')).toBe(0);
    expect(parseZoneOffset('-00:30')).toBe(-1_800_000);
    expect(parseZoneOffset('+14:00')).toBe(50_400_000);
    for (const text of ['', '+', '+1:00', '+01:60', '+24:00', 'UTC', '+01:0', '+010']) {
      expect(parseZoneOffset(text)).toBeUndefined();
    }
  });
});
