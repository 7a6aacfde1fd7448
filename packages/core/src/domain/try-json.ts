import { canonicalJson } from './canonical-json.ts';
import type { JsonValue } from './json.ts';

/** The value of a JSON text; undefined when it is none. */
export function tryParseJson(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** The canonical JSON of a value; undefined when it has none, or is nested too deeply. */
export function tryCanonicalJson(value: JsonValue): string | undefined {
  try {
    return canonicalJson(value);
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) return undefined;
    throw error;
  }
}

/** `JSON.stringify` writes half of a surrogate pair like this, and RFC 8785 not at all. */
const SURROGATE_ESCAPE = '\\ud';

/**
 * True when the text is the canonical JSON of the value that was parsed from it.
 *
 * Text that V8 writes back as it is, with its names in order, is: that is told without sorting and writing it by hand.
 * V8 puts names that look like integers first, so whatever is not told so is compared with the canonical text.
 */
export function isCanonicalJson(text: string, value: JsonValue): boolean {
  try {
    if (!text.includes(SURROGATE_ESCAPE) && JSON.stringify(value) === text && hasSortedNames(value)) return true;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return tryCanonicalJson(value) === text;
}

function hasSortedNames(value: JsonValue): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) return value.every(hasSortedNames);
  let last: string | undefined;
  for (const name of Object.keys(value)) {
    if (last !== undefined && last > name) return false;
    last = name;
    const member = value[name] as JsonValue;
    if (typeof member === 'object' && !hasSortedNames(member)) return false;
  }
  return true;
}
