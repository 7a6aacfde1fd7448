import type { JsonValue } from '../domain/json.ts';

const MAX_IDENTIFIER_LENGTH = 512;

/**
 * The text of a raw identifier: a string, or an integer in decimal digits. Undefined for what
 * would not tell persons apart reliably: anything else, an empty or overlong string, text with a
 * lone surrogate (every one is hashed alike), and an integer beyond 2^53.
 */
export function rawIdentifier(value: JsonValue): string | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? String(value) : undefined;
  const isUsable =
    typeof value === 'string' && value !== '' && value.length <= MAX_IDENTIFIER_LENGTH && value.isWellFormed();
  return isUsable ? value : undefined;
}
