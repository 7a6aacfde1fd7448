import { z } from 'zod';

/** PostgreSQL cannot store U+0000, UTF-8 cannot write half a surrogate pair, and no control character is wanted. */
export function isPlainText(text: string): boolean {
  return text.isWellFormed() && !/\p{Cc}/u.test(text);
}

/** One line of text by a person, of at most `max` UTF-16 units. */
export function plainText(max: number) {
  return z.string().min(1).max(max).refine(isPlainText, 'has control characters');
}
