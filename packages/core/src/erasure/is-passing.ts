import { DeferError, isDependencyUnavailable } from '../errors.ts';
import { ShortBodyError } from '../storage/whole-body.ts';

/** What streams say of a connection that was closed under them. */
const CUT_OFF = 'ERR_STREAM_PREMATURE_CLOSE';

/**
 * True for what may go better the next time, so that nothing is said of the object: a store that is away or overloaded, or
 * an answer that was over too early. Pure.
 */
export function isPassing(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof DeferError || cause instanceof ShortBodyError || isDependencyUnavailable(cause)) return true;
    if ('code' in cause && cause.code === CUT_OFF) return true;
  }
  return false;
}
