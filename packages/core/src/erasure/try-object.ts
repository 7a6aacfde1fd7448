import type { ErasureWork } from './erasure-work.ts';
import { isPassing } from './is-passing.ts';

/** What takes the place of what, when the transaction is committed; and what is only to go. */
export interface Objects {
  moves: { from: string; to: string | null }[];
  /** Why some could not be read, or written anew: they stay as they are, and hold nothing else up. */
  failures: unknown[];
}

/** @returns undefined, and notes why, when an object cannot be prepared. @throws what goes away by itself */
export async function tryObject<T>(
  { signal }: ErasureWork,
  { failures }: Objects,
  prepare: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await prepare();
  } catch (error) {
    signal.throwIfAborted();
    if (isPassing(error)) throw error;
    failures.push(error);
    return undefined;
  }
}
