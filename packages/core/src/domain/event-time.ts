import type { JsonValue } from './json.ts';

/** How a source writes its times. `clf` is the access logs' `17/May/2015:10:05:03 +0000`. */
export const TIME_FORMATS = ['iso', 'epoch-s', 'epoch-ms', 'epoch-us', 'epoch-ns', 'clf'] as const;

export type TimeFormat = (typeof TIME_FORMATS)[number];

/** Why a time could not be read: a code that is safe to log. */
export type TimeFailure = 'missing' | 'unreadable' | 'impossible' | 'no_zone' | 'out_of_range';

/** 9999-12-31T23:59:59.999Z: the event id has four digits for the year. */
const LAST_TIME_MS = 253_402_300_799_999;
const MINUTE_MS = 60_000;
const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec';
const DECIMAL = /^(\d{1,21})(?:\.(\d+))?$/;
/** Digits behind the milliseconds; below zero, digits that seconds lack. */
const EPOCH_DIGITS: Partial<Record<TimeFormat, number>> = {
  'epoch-s': -3,
  'epoch-ms': 0,
  'epoch-us': 3,
  'epoch-ns': 6,
};

/**
 * Reads an event's time as whole milliseconds since 1970, fractions truncated and never rounded,
 * for the years 1970 to 9999.
 *
 * @param zoneOffsetMs offset of the times that name no zone, in ms east of UTC; undefined refuses them
 */
export function parseEventTime(
  value: JsonValue | undefined,
  format: TimeFormat,
  zoneOffsetMs?: number,
): number | TimeFailure {
  if (value === undefined || value === null || value === '') return 'missing';
  const time = parseByFormat(value, format, zoneOffsetMs);
  if (typeof time === 'string') return time;
  return time >= 0 && time <= LAST_TIME_MS ? time : 'out_of_range';
}

function parseByFormat(value: JsonValue, format: TimeFormat, zoneOffsetMs: number | undefined): number | TimeFailure {
  const epochDigits = EPOCH_DIGITS[format];
  if (epochDigits !== undefined) return parseEpoch(value, epochDigits);
  if (typeof value !== 'string') return 'unreadable';
  return format === 'iso' ? parseIso(value, zoneOffsetMs) : parseClf(value, zoneOffsetMs);
}

/**
 * Works on the decimal digits: multiplying a fraction by 1000 in binary can fall just below the
 * millisecond that was written. A number beyond 2^53 has lost its last digits and may have
 * crossed into another millisecond, so such times must come as text (see `exactIntegers`).
 */
function parseEpoch(value: JsonValue, digitsBehindMs: number): number | TimeFailure {
  if (typeof value === 'number' && value < 0) return 'out_of_range';
  if (typeof value !== 'number' && typeof value !== 'string') return 'unreadable';
  if (typeof value === 'number' && value > Number.MAX_SAFE_INTEGER) return 'unreadable';
  const match = DECIMAL.exec(String(value));
  if (match === null) return 'unreadable';
  const whole = match[1] as string;
  if (digitsBehindMs >= 0) return Number(whole.slice(0, Math.max(0, whole.length - digitsBehindMs)));
  return Number(whole) * 1000 + Number((match[2] ?? '').slice(0, 3).padEnd(3, '0'));
}

/** `YYYY-MM-DD(T| )HH:MM[:SS[(.|,)fraction]][zone]`; a zone is `Z`, `±HH:MM`, `±HHMM` or `±HH`. */
function parseIso(text: string, zoneOffsetMs: number | undefined): number | TimeFailure {
  if (text[4] !== '-' || text[7] !== '-' || text[13] !== ':' || !isDateTimeSeparator(text[10])) {
    return 'unreadable';
  }
  let position = 16;
  let second = 0;
  let millisecond = 0;
  if (text[position] === ':') {
    second = digits(text, 17, 2);
    position = 19;
    if (text[position] === '.' || text[position] === ',') {
      const end = endOfDigits(text, position + 1);
      if (end === position + 1) return 'unreadable';
      millisecond = truncatedMs(text, position + 1, end);
      position = end;
    }
  }
  const day = { year: digits(text, 0, 4), month: digits(text, 5, 2), day: digits(text, 8, 2) };
  const localMs = utcMs(day, digits(text, 11, 2), digits(text, 14, 2), second, millisecond);
  if (typeof localMs === 'string') return localMs;
  const offset = position === text.length ? zoneOffsetMs : parseZoneOffset(text.slice(position));
  if (offset === undefined) return position === text.length ? 'no_zone' : 'unreadable';
  return localMs - offset;
}

/** `DD/Mon/YYYY:HH:MM:SS ±HHMM`, as Apache and nginx write it. */
function parseClf(text: string, zoneOffsetMs: number | undefined): number | TimeFailure {
  const wellPlaced = text[2] === '/' && text[6] === '/' && text[11] === ':' && text[14] === ':' && text[17] === ':';
  if (!wellPlaced) return 'unreadable';
  const monthAt = MONTHS.indexOf(text.slice(3, 6));
  if (monthAt < 0 || monthAt % 3 !== 0) return 'unreadable';
  const day = { year: digits(text, 7, 4), month: monthAt / 3 + 1, day: digits(text, 0, 2) };
  const localMs = utcMs(day, digits(text, 12, 2), digits(text, 15, 2), digits(text, 18, 2), 0);
  if (typeof localMs === 'string') return localMs;
  if (text.length === 20) return zoneOffsetMs === undefined ? 'no_zone' : localMs - zoneOffsetMs;
  const offset = text[20] === ' ' ? parseZoneOffset(text.slice(21)) : undefined;
  return offset === undefined ? 'unreadable' : localMs - offset;
}

/** Milliseconds east of UTC of `Z`, `±HH:MM`, `±HHMM` or `±HH`; undefined for anything else. */
export function parseZoneOffset(zone: string): number | undefined {
  if (zone === 'Z' || zone === 'z') return 0;
  const sign = zone[0] === '+' ? 1 : zone[0] === '-' ? -1 : undefined;
  if (sign === undefined) return undefined;
  const colon = zone[3] === ':' ? 1 : 0;
  if (zone.length !== 3 && zone.length !== 5 + colon) return undefined;
  const hours = digits(zone, 1, 2);
  const minutes = zone.length === 3 ? 0 : digits(zone, 3 + colon, 2);
  // A comparison with NaN is false, so what is no digit is refused here too.
  return hours <= 23 && minutes <= 59 ? sign * (hours * 60 + minutes) * MINUTE_MS : undefined;
}

function utcMs(
  date: { year: number; month: number; day: number },
  hour: number,
  minute: number,
  second: number,
  millisecond: number,
): number | TimeFailure {
  const { year, month, day } = date;
  const sum = year + month + day + hour + minute + second;
  if (Number.isNaN(sum)) return 'unreadable';
  if (year < 1969) return 'out_of_range';
  if (hour > 23 || minute > 59 || second > 59) return 'impossible';
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return 'impossible';
  return Date.UTC(year, month - 1, day, hour, minute, second, millisecond);
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

function isDateTimeSeparator(character: string | undefined): boolean {
  return character === 'T' || character === 't' || character === ' ';
}

/** The number in exactly `count` ASCII digits at `start`; NaN if there are not so many. */
function digits(text: string, start: number, count: number): number {
  let value = 0;
  for (let index = start; index < start + count; index++) {
    const digit = text.charCodeAt(index) - 48;
    if (!(digit >= 0 && digit <= 9)) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}

function endOfDigits(text: string, start: number): number {
  let end = start;
  while (text.charCodeAt(end) >= 48 && text.charCodeAt(end) <= 57) end++;
  return end;
}

function truncatedMs(text: string, start: number, end: number): number {
  const kept = Math.min(3, end - start);
  return digits(text, start, kept) * 10 ** (3 - kept);
}
