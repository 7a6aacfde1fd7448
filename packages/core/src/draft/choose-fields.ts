import { parseEventTime, type TimeFormat } from '../domain/event-time.ts';
import type { JsonValue } from '../domain/json.ts';
import { hasPersonalData } from '../recipe/detectors/mask-personal-data.ts';
import { type FieldStats, plainName, valuesOf } from './field-stats.ts';

export interface TimeChoice {
  path: string;
  format: TimeFormat;
  /** True if the times name no zone. */
  withoutZone: boolean;
}

const TIME_NAMES = ['timestamp', 'eventtime', 'occurredat', 'ts', 'time', 'at', 'datetime', 'createdat', 'receivedat'];
const EVENT_NAMES = ['event', 'eventname', 'name', 'type', 'eventtype', 'action'];
const RECORD_IDS = [
  'eventid',
  'messageid',
  'uuid',
  'recordid',
  'insertid',
  'id',
  'xedgerequestid',
  'requestid',
  'entryid',
];
const SESSION_IDS = ['sessionid', 'session', 'sid'];
const SUBJECT_IDS = ['userid', 'distinctid', 'customerid', 'accountid', 'uid', 'visitorid', 'anonymousid', 'clientid'];
const ADDRESSES = ['remoteaddr', 'cip', 'clientip', 'ip'];

/** A share of the records below which a field is not in all of them. */
const NEARLY_ALL = 0.95;
const MAX_EVENT_NAMES = 50;
const YEAR_2000_MS = 946_684_800_000;
const YEAR_2100_MS = 4_102_444_800_000;

/** The field that is most likely the event's time, and how it is written. */
export function chooseTime(fields: readonly FieldStats[], records: number): TimeChoice | undefined {
  const choices = fields
    .filter(({ present }) => present >= records * NEARLY_ALL)
    .flatMap((field) => {
      const format = timeFormat(field);
      return format === undefined ? [] : [{ path: field.path, ...format }];
    });
  return choices.sort((a, b) => rank(TIME_NAMES, a.path) - rank(TIME_NAMES, b.path))[0];
}

function timeFormat(field: FieldStats): Omit<TimeChoice, 'path'> | undefined {
  const are = (format: TimeFormat, zoneOffsetMs?: number): boolean => areTimes(field, format, zoneOffsetMs);
  if (are('iso')) return { format: 'iso', withoutZone: false };
  if (are('iso', 0)) return { format: 'iso', withoutZone: true };
  if (are('clf', 0)) return { format: 'clf', withoutZone: !are('clf') };
  // Any number could be a time: only one that is named like one counts.
  if (!TIME_NAMES.includes(plainName(field.path)) && !/(?:time|stamp|at|ts)$/i.test(field.path)) return undefined;
  if (are('epoch-ms')) return { format: 'epoch-ms', withoutZone: false };
  return are('epoch-s') ? { format: 'epoch-s', withoutZone: false } : undefined;
}

/** True if hardly any value is not such a time: raw logs hold broken lines. */
function areTimes({ values, present }: FieldStats, format: TimeFormat, zoneOffsetMs?: number): boolean {
  let times = 0;
  for (const [text, count] of values) {
    if (isTime(JSON.parse(text) as JsonValue, format, zoneOffsetMs)) times += count;
  }
  return times >= present * NEARLY_ALL;
}

function isTime(value: JsonValue, format: TimeFormat, zoneOffsetMs?: number): boolean {
  const timeMs = parseEventTime(value, format, zoneOffsetMs);
  return typeof timeMs === 'number' && timeMs >= YEAR_2000_MS && timeMs < YEAR_2100_MS;
}

/** The field that names the event: few names, in all records, which say nothing personal. */
export function chooseEventName(fields: readonly FieldStats[], records: number): FieldStats | undefined {
  return byName(fields, EVENT_NAMES).find(
    ({ present, kinds, values, maxLength, ...field }) =>
      present >= records * NEARLY_ALL &&
      isOnly(kinds, 'string') &&
      values.size <= MAX_EVENT_NAMES &&
      (values.size * 2 <= present || values.size <= 3) &&
      maxLength <= 64 &&
      !valuesOf({ ...field, present, kinds, values, maxLength }).some((value) => hasPersonalData(String(value))),
  );
}

/** The field that is the record's own id: in every record, hardly ever the same. */
export function chooseRecordId(fields: readonly FieldStats[], records: number): FieldStats | undefined {
  return byName(fields, RECORD_IDS).find(
    ({ present, values, kinds }) =>
      present === records &&
      values.size >= present * NEARLY_ALL &&
      (isOnly(kinds, 'string') || isOnly(kinds, 'integer')),
  );
}

/** The field that is the session's id. */
export function chooseSessionId(fields: readonly FieldStats[]): FieldStats | undefined {
  return byName(fields, SESSION_IDS)[0] ?? fields.find(({ path }) => /(?:^|\.)session\.id$/i.test(path));
}

/** The field that is the person's id; the client's address where there is nothing better. */
export function chooseSubjectId(fields: readonly FieldStats[]): FieldStats | undefined {
  return (
    byName(fields, SUBJECT_IDS)[0] ??
    fields.find(({ path }) => /(?:^|\.)(?:user|customer|visitor|account)\.id$/i.test(path)) ??
    byName(fields, ADDRESSES)[0]
  );
}

/** True if the field is the client's address. */
export function isAddress({ path }: FieldStats): boolean {
  return ADDRESSES.includes(plainName(path));
}

function byName(fields: readonly FieldStats[], names: readonly string[]): FieldStats[] {
  return fields
    .filter(({ path }) => names.includes(plainName(path)))
    .sort((a, b) => rank(names, a.path) - rank(names, b.path));
}

/** The place of a field's name in the list, the one nearest to the record's top first. */
function rank(names: readonly string[], path: string): number {
  const place = names.indexOf(plainName(path));
  return (place < 0 ? names.length : place) * 100 + path.split('.').length;
}

function isOnly(kinds: ReadonlySet<string>, kind: string): boolean {
  return kinds.size === 1 && kinds.has(kind);
}
