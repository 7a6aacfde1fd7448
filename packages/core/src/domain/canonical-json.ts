import type { JsonObject, JsonValue } from './json.ts';

/**
 * Canonical JSON text by RFC 8785: names in UTF-16 code unit order, numbers and strings as
 * ECMAScript writes them, no white space.
 *
 * @throws TypeError on a value that RFC 8785 cannot write: a number that is not finite, a string
 *   or name with a lone surrogate, or something that is not JSON. The message never has the value.
 */
export function canonicalJson(value: JsonValue): string {
  if (typeof value === 'string') return canonicalString(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError('a number is not finite');
    return JSON.stringify(value);
  }
  if (value === null || typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'object') return canonicalObject(value);
  throw new TypeError(`a ${typeof value} is not JSON`);
}

function canonicalObject(value: JsonObject): string {
  const members = Object.keys(value)
    .sort()
    // `Object.keys` lists only what is there, so the value cannot be undefined by absence.
    .map((name) => `${canonicalString(name)}:${canonicalJson(value[name] as JsonValue)}`);
  return `{${members.join(',')}}`;
}

function canonicalString(value: string): string {
  // JSON.stringify would write a lone surrogate as an escape, which RFC 8785 forbids.
  if (!value.isWellFormed()) throw new TypeError('a string has a lone surrogate');
  return JSON.stringify(value);
}
