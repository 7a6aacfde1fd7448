import { createHash } from 'node:crypto';
import { isJsonObject, type JsonValue } from '@backfill/core/domain/json';
import type { LineOutcome, TransformedEvent } from '@backfill/core/recipe/line-outcome';
import type { Recipe } from '@backfill/core/recipe/recipe';
import { compileTaxonomyCheck, PAYLOAD_NAMES } from '@backfill/core/recipe/validate-event';
import type { BuiltPart } from '@backfill/core/transform/part-builder';
import { expect } from 'vitest';
import { MARKER } from './hostile-values.ts';
import type { TransformedFile } from './transform-file.ts';

const PLACE = String.raw`/properties(?:/(?:amount|note|page|agent|network|buyer|coupon|ratio|tags|item|sku|\*))*`;
const SCHEMA_FAULT = String.raw`must (?:be (?:[a-z]+|[a-z]+,null|[<>]= \d+)|NOT have (?:more|fewer) than \d+ (?:characters|items)|have required property 'amount')`;

/** Every reason there is. None has room for anything of a line. */
const REASONS = new RegExp(
  `^(?:${[
    'line_too_long|invalid_utf8|text: unusable_character',
    'parse: (?:not_json|not_a_json_object|nested_too_deep|not_csv|wrong_field_count|wrong_column_type|not_combined_log|no_fields_header)',
    'time: (?:missing|unreadable|impossible|no_zone|out_of_range|in_the_future)',
    'event_name: (?:missing|not_text)',
    '(?:record|session|subject)_id: (?:not_an_identifier|personal_data)',
    'record_id: missing',
    `schema: ${PLACE} ${SCHEMA_FAULT}`,
  ].join('|')})$`,
);

/** Long enough to be no coincidence. */
const MARKER_PIECE = 6;

/** Whether a text holds a piece of what stands in every record. */
export function quotesInput(text: string): boolean {
  return Array.from({ length: MARKER.length - MARKER_PIECE }, (_, index) =>
    MARKER.slice(index, index + MARKER_PIECE),
  ).some((piece) => text.toLowerCase().includes(piece.toLowerCase()));
}

/** Every line has one outcome, in order, every byte a line; none was made up; and the parts' counts say the same. */
export function expectBalance({ scanned, lines, parts }: TransformedFile, plainBytes: number): void {
  expect(lines.map(({ lineNo }) => lineNo)).toEqual(lines.map((_, index) => index + 1));
  expect(lines.length).toBe(scanned?.lines);
  expect(sum(lines.map(({ byteLength }) => byteLength))).toBe(plainBytes);
  expect(lines.filter(({ isText, outcome }) => outcome.outcome === 'accepted' && !isText)).toEqual([]);
  const count = (name: LineOutcome['outcome']) => lines.filter(({ outcome }) => outcome.outcome === name).length;
  const counted = (name: 'lineCount' | 'eventCount' | 'suppressed' | 'expired' | 'filtered' | 'quarantined') =>
    sum(parts.map((part) => part[name]));
  expect(counted('lineCount')).toBe(lines.length);
  expect(counted('eventCount')).toBe(count('accepted'));
  for (const name of ['suppressed', 'expired', 'filtered', 'quarantined'] as const)
    expect(counted(name)).toBe(count(name));
}

/** The reasons are codes; the parts hold what the lines became, and nothing of the lines else. */
export function expectSafeReasons({ lines, parts }: TransformedFile): void {
  for (const { outcome } of lines) {
    if (outcome.outcome === 'quarantined') expect(outcome.reason).toMatch(REASONS);
  }
  const ledger = Buffer.concat(parts.flatMap(({ quarantineRows }) => quarantineRows)).toString();
  expect(quotesInput(ledger)).toBe(false);
}

/** An event that PostgreSQL and everybody behind it can rely on, judged without the code that made it. */
export function createEventCheck(recipe: Recipe): (event: TransformedEvent) => void {
  const check = compileTaxonomyCheck(recipe);
  const { startMs, endMs } = recipe.window;
  return (event) => {
    const { eventName: event_name, schemaVersion: schema_version, payload, eventTsMs } = event;
    expect(check({ event_name, schema_version, payload })).toBeUndefined();
    expect(eventTsMs >= startMs && eventTsMs < endMs && Number.isInteger(eventTsMs)).toBe(true);
    const digits = new Date(eventTsMs).toISOString().replace(/\D/g, '');
    const sha256 = createHash('sha256').update(payload).digest('hex');
    expect(event.eventId).toBe(`${recipe.source.source}:${digits}:\\x${sha256}`);
    const stored = JSON.parse(payload);
    const { names, texts } = textsOf(stored);
    expect([...names, ...texts].filter((text) => text.includes('\0') || !text.isWellFormed())).toEqual([]);
    expect(names).not.toContain('__proto__');
    expect([stored.session_id ?? null, stored.subject_id ?? null]).toEqual([event.sessionId, event.subjectId]);
    expect(Object.keys(stored).filter((name) => !PAYLOAD_NAMES.includes(name))).toEqual([]);
  };
}

/** Every name and every text within a value. */
function textsOf(value: JsonValue, found = { names: [] as string[], texts: [] as string[] }): typeof found {
  if (typeof value === 'string') found.texts.push(value);
  if (isJsonObject(value)) found.names.push(...Object.keys(value));
  if (typeof value === 'object' && value !== null) for (const child of Object.values(value)) textsOf(child, found);
  return found;
}

/** The rows of a part's object, as COPY reads them (PostgreSQL, COPY, "Text Format"). */
export function rowsOf({ body }: BuiltPart): (string | null)[][] {
  const signs: Record<string, string> = { t: '\t', n: '\n', r: '\r', '\\': '\\' };
  const field = (text: string) =>
    text === '\\N' ? null : text.replace(/\\(.)/g, (whole, sign: string) => signs[sign] ?? whole);
  const rows = Buffer.concat(body).toString().split('\n');
  expect(rows.pop()).toBe('');
  return rows.map((row) => row.split('\t').map(field));
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
