import type { ColumnType } from '../domain/format-name.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../domain/json.ts';
import type { ParsedRecord } from './source-format.ts';

type Put = (record: JsonObject, value: JsonValue) => void;

const WRONG_TYPE: ParsedRecord = { ok: false, reason: 'wrong_column_type' };
const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?$/;
const TRUE = new Set(['true', 't', '1', 'yes', 'y']);
const FALSE = new Set(['false', 'f', '0', 'no', 'n']);

/**
 * Compiles the columns of a file into a function from fields to a record. One without a name is `column_<n>`.
 *
 * @returns a function that refuses a field which is not of its column's type
 */
export function compileCsvRow(
  columns: readonly string[],
  types: Readonly<Record<string, ColumnType>>,
): (fields: readonly (string | null)[]) => ParsedRecord {
  const all = new Set(columns);
  const typeOf = new Map(Object.entries(types));
  const readers = columns.map((name, index) => ({
    put: compilePut(name === '' ? `column_${index + 1}` : name, all),
    type: typeOf.get(name) ?? 'text',
  }));
  return (fields) => {
    const record: JsonObject = {};
    for (const [index, { put, type }] of readers.entries()) {
      const value = readField(fields[index] ?? null, type);
      if (value === undefined) return WRONG_TYPE;
      put(record, value);
    }
    return { ok: true, record };
  };
}

/** Undefined when the text is not of the type. */
function readField(text: string | null, type: ColumnType): JsonValue | undefined {
  if (text === null || type === 'text') return text;
  if (type === 'number') return readNumber(text);
  if (type === 'json') return parseJson(text);
  const word = text.toLowerCase();
  return TRUE.has(word) ? true : FALSE.has(word) ? false : undefined;
}

/** An integer that a number cannot hold stays text, for the schema to refuse. */
function readNumber(text: string): number | string | undefined {
  if (!NUMBER.test(text)) return undefined;
  const value = Number(text);
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? text : value;
}

function parseJson(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch (error) {
    // The message quotes the text.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Puts a value where a mapping's path finds it: `user.id` is a field of `user`, unless there is a column `user` too. */
function compilePut(name: string, columns: ReadonlySet<string>): Put {
  const segments = name.split('.');
  const last = segments.at(-1) as string;
  const prefixes = segments.slice(0, -1).map((_, index) => segments.slice(0, index + 1).join('.'));
  // A path cannot name a field that every object has, so nobody can ask for it.
  if (segments.some((segment) => segment === '' || segment in Object.prototype)) return () => undefined;
  if (prefixes.some((prefix) => columns.has(prefix))) return () => undefined;
  return (record, value) => {
    let place = record;
    for (const segment of segments.slice(0, -1)) {
      const child = place[segment];
      const next = isJsonObject(child) ? child : {};
      place[segment] = next;
      place = next;
    }
    place[last] = value;
  };
}
