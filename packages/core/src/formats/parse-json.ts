import { isJsonObject, type JsonValue } from '../domain/json.ts';
import { nestsDeeper } from './json-depth.ts';
import type { ParsedRecord } from './source-format.ts';

const NOT_JSON: ParsedRecord = { ok: false, reason: 'not_json' };
const NOT_AN_OBJECT: ParsedRecord = { ok: false, reason: 'not_a_json_object' };
const NESTED_TOO_DEEP: ParsedRecord = { ok: false, reason: 'nested_too_deep' };
/** A reviver visits values by recursion, which ends at a depth that differs from machine to machine. */
const MAX_REVIVED_DEPTH = 1_024;
const DIGITS = /^\d+$/;

/** The JSON value of a text; undefined when it is none. Of a repeated name the last one counts, as JSON.parse has it. */
function parseValue(text: string, exactIntegers: boolean): JsonValue | undefined {
  try {
    return exactIntegers ? (JSON.parse(text, keepInteger) as JsonValue) : (JSON.parse(text) as JsonValue);
  } catch (error) {
    // The parser's message quotes the text, which may be personal: only the code goes on.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Reads one JSON object. Never throws for what stands in the text. */
export function parseJsonRecord(text: string, exactIntegers = false): ParsedRecord {
  if (exactIntegers && nestsDeeper(text, MAX_REVIVED_DEPTH)) return NESTED_TOO_DEEP;
  const value = parseValue(text, exactIntegers);
  if (value === undefined) return NOT_JSON;
  return isJsonObject(value) ? { ok: true, record: value } : NOT_AN_OBJECT;
}

function keepInteger(this: unknown, _name: string, value: unknown, context?: { source?: string }): unknown {
  const isInexact = typeof value === 'number' && !Number.isSafeInteger(value) && DIGITS.test(context?.source ?? '');
  return isInexact ? context?.source : value;
}
