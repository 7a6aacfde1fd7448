import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseEventTime, parseZoneOffset, TIME_FORMATS, type TimeFormat } from './event-time.ts';
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
    ['epoch-us', 12, 0],
    ['epoch-us', 1_999, 1],
    ['epoch-ns', '12345', 0],
    ['epoch-ns', '1999999', 1],
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

/**
 * What logs write as times, and what each format that can read it makes of it, in ms. Every other format must refuse it:
 * a time that is read in the wrong unit lies in another year, and would go unseen.
 */
const FORMS: [form: string, value: JsonValue, reads: Partial<Record<TimeFormat, number>>][] = [
  ['RFC 3339', '2015-05-17T10:05:03Z', { iso: T }],
  ['RFC 3339 with an offset', '2015-05-17T15:35:03+05:30', { iso: T }],
  ['RFC 3339, unknown local offset', '2015-05-17T10:05:03-00:00', { iso: T }],
  ['RFC 3339 in lower case', '2015-05-17t10:05:03.5z', { iso: T + 500 }],
  ['RFC 3339 with a space', '2015-05-17 10:05:03.999999Z', { iso: T + 999 }],
  ['nanoseconds', '2015-05-17T10:05:03.000999999Z', { iso: T }],
  ['picoseconds', '2015-05-17T10:05:03.001999999999Z', { iso: T + 1 }],
  ['ISO 8601 with a decimal comma', '2015-05-17T10:05:03,25Z', { iso: T + 250 }],
  ['ISO 8601 without seconds', '2015-05-17T10:05+00:00', { iso: T - 3_000 }],
  ['ISO 8601 with an offset of hours', '2015-05-17T12:05:03+02', { iso: T }],
  ['ISO 8601, basic', '20150517T100503Z', {}],
  ['ISO 8601, week', '2015-W20-7T10:05:03Z', {}],
  ['ISO 8601, day of the year', '2015-137T10:05:03Z', {}],
  ['ISO 8601, decimal minutes', '2015-05-17T10:05.05Z', {}],
  ['a date', '2015-05-17', {}],
  ['no zone', '2015-05-17T10:05:03', {}],
  ['a named zone', '2015-05-17T10:05:03 UTC', {}],
  ['a zone in brackets', '2015-05-17T12:05:03+02:00[Europe/Berlin]', {}],
  ['a leap second', '2016-12-31T23:59:60Z', {}],
  ['24:00', '2015-05-16T24:00:00Z', {}],
  ['the year 0', '0000-01-01T00:00:00Z', {}],
  ['the year 1', '0001-01-01T00:00:00Z', {}],
  ['before 1970', '1969-12-31T23:59:59.999Z', {}],
  ['1970 by its offset', '1970-01-01T00:30:00+01:00', {}],
  ['the year 10000', '10000-01-01T00:00:00Z', {}],
  ['the year 10000 by its offset', '9999-12-31T23:59:59-00:01', {}],
  ['an expanded year', '+002015-05-17T10:05:03Z', {}],
  ['a negative year', '-2015-05-17T10:05:03Z', {}],
  ['no leap year', '2015-02-29T10:05:03Z', {}],
  ['no day', '2015-04-31T10:05:03Z', {}],
  ['day before month', '17-05-2015T10:05:03Z', {}],
  ['American', '05/17/2015 10:05:03 AM', {}],
  ['German', '17.05.2015 10:05:03', {}],
  ['RFC 5322', 'Sun, 17 May 2015 10:05:03 GMT', {}],
  ['ctime', 'Sun May 17 10:05:03 2015', {}],
  ['syslog', 'May 17 10:05:03', {}],
  ['JavaScript', 'Sun May 17 2015 12:05:03 GMT+0200 (Central European Summer Time)', {}],
  ['an access log', '17/May/2015:10:05:03 +0000', { clf: T }],
  ['an access log with an offset', '17/May/2015:05:05:03 -0500', { clf: T }],
  ['an access log in brackets', '[17/May/2015:10:05:03 +0000]', {}],
  ['an access log without zone', '17/May/2015:10:05:03', {}],
  ['an access log in German', '17/Mai/2015:10:05:03 +0000', {}],
  ['an access log, day with one digit', '7/May/2015:10:05:03 +0000', {}],
  ['an access log, leap second', '31/Dec/2016:23:59:60 +0000', {}],
  ['words', 'gestern um zehn', {}],
  ['the word null', 'null', {}],
  ['NaN', 'NaN', {}],
  ['Infinity', Number.POSITIVE_INFINITY, {}],
  ['not a number', Number.NaN, {}],
  ['true', true, {}],
  ['a list', [2015, 5, 17], {}],
  ['an object', { seconds: 1_431_857_103 }, {}],
  ['blanks', '   ', {}],
  ['a text with blanks', ' 2015-05-17T10:05:03Z', {}],
  ['a NUL', '2015-05-17T10:05:03Z\u0000', {}],
  ['full-width digits', '２０１５-０５-１７T１０:０５:０３Z', {}],
  ['a negative number', -1_431_857_103, {}],
  ['a negative text', '-1431857103', {}],
  ['an exponent', '1.431857103e9', {}],
  ['hexadecimal', '0x5558675F', {}],
  ['a decimal comma', '1431857103,5', {}],
  ['grouped digits', '1_431_857_103', {}],
  ['a tiny number', 1e-7, {}],
  ['a huge number', 1e300, {}],
  ['an Excel date', 42_141.420_173_6, { 'epoch-s': 42_141_420, 'epoch-ms': 42_141, 'epoch-us': 42, 'epoch-ns': 0 }],
  // Digits name no unit: the source does. What then lies too far away is refused, and the window sees to the rest.
  ['seconds', 1_431_857_103, { 'epoch-s': T, 'epoch-ms': 1_431_857_103, 'epoch-us': 1_431_857, 'epoch-ns': 1_431 }],
  [
    'seconds as text',
    '1431857103',
    { 'epoch-s': T, 'epoch-ms': 1_431_857_103, 'epoch-us': 1_431_857, 'epoch-ns': 1_431 },
  ],
  [
    'seconds with a fraction',
    '1431857103.0019',
    { 'epoch-s': T + 1, 'epoch-ms': 1_431_857_103, 'epoch-us': 1_431_857, 'epoch-ns': 1_431 },
  ],
  ['milliseconds', T, { 'epoch-ms': T, 'epoch-us': 1_431_857_103, 'epoch-ns': 1_431_857 }],
  ['milliseconds as text', String(T), { 'epoch-ms': T, 'epoch-us': 1_431_857_103, 'epoch-ns': 1_431_857 }],
  ['microseconds', T * 1_000 + 999, { 'epoch-us': T, 'epoch-ns': 1_431_857_103 }],
  ['microseconds as text', `${T}999`, { 'epoch-us': T, 'epoch-ns': 1_431_857_103 }],
  ['nanoseconds beyond 2^53', 1_431_857_103_001_000_000, {}],
  ['nanoseconds as text', `${T}999999`, { 'epoch-ns': T }],
  ['more digits than any time', '9'.repeat(400), {}],
];

describe.each(FORMS)('%s', (_, value, reads) => {
  it.each(TIME_FORMATS)('is read right as %s, or refused', (format) => {
    const time = parseEventTime(value, format);
    if (reads[format] !== undefined) expect(time).toBe(reads[format]);
    else expect(['missing', 'unreadable', 'impossible', 'no_zone', 'out_of_range']).toContain(time);
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
