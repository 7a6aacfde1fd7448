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
