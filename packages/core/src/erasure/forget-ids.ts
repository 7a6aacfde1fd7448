import type { JsonValue } from '../domain/json.ts';

/** What stands for the id of an event that was erased. */
export const ERASED_ID = '(erased)';

/**
 * A document without some ids of events, wherever they stand as words in its texts. Pure.
 *
 * @returns the same value when none of them is in it
 */
export function forgetIds<T extends JsonValue>(value: T, ids: ReadonlySet<string>): T {
  return forget(value, ids) as T;
}

function forget(value: JsonValue, ids: ReadonlySet<string>): JsonValue {
  if (typeof value === 'string') {
    const words = value.split(' ');
    return words.some((word) => ids.has(word))
      ? words.map((word) => (ids.has(word) ? ERASED_ID : word)).join(' ')
      : value;
  }
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const members = value.map((member) => forget(member, ids));
    return members.some((member, index) => member !== value[index]) ? members : value;
  }
  const entries = Object.entries(value);
  const kept = entries.map(([name, member]) => [name, forget(member as JsonValue, ids)] as const);
  return kept.some(([, member], index) => member !== entries[index]?.[1]) ? Object.fromEntries(kept) : value;
}
