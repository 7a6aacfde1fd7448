/** Base of the errors this system raises on purpose. `message` is for operators and never holds a raw value. */
export class BackfillError extends Error {
  override name = 'BackfillError';
}

/** Repeating cannot help: the input, the configuration or the batch itself must change first. */
export class FatalError extends BackfillError {
  override name = 'FatalError';
}

/** Nothing is wrong, only not yet: come back after `delayMs`. Costs no attempt. */
export class DeferError extends BackfillError {
  override name = 'DeferError';
  readonly delayMs: number;
  constructor(message: string, delayMs: number, options?: ErrorOptions) {
    super(message, options);
    this.delayMs = delayMs;
  }
}

/**
 * The batch moved on under a running job (halted, rolled back, done by a twin). The transaction is undone and the
 * job ends quietly: whoever changed the batch has taken care of its work.
 */
export class StaleWorkError extends BackfillError {
  override name = 'StaleWorkError';
}

/** Processes keep dying over a job: it must not be repeated before a person has looked at it. */
export class CrashLoopError extends BackfillError {
  override name = 'CrashLoopError';
}

export type Decision =
  | { action: 'drop' }
  | { action: 'retry' }
  | { action: 'defer'; delayMs: number }
  | { action: 'fail' }
  | { action: 'halt' };

/** How long to wait for a dependency that is down or overloaded: at first, and at most when it stays so. */
const FIRST_DEPENDENCY_DELAY_MS = 250;
const LONGEST_DEPENDENCY_DELAY_MS = 30_000;

/** PostgreSQL: connection exceptions, out of resources, shutdown or start-up under way (Appendix A, error codes). */
const POSTGRES_UNAVAILABLE = /^(08...|53...|57P0[1-5]|25P0[34])$/;
/** PostgreSQL: a lock that was not to be had in time, a deadlock, a cancelled statement. Nothing is wrong with the work. */
const POSTGRES_BUSY = /^(55P03|40P01|40001|57014)$/;
const NETWORK_UNAVAILABLE = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'ENOTFOUND',
  'ECONNABORTED',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);
/** What the S3 client says of a server that is silent, mostly without a code. */
const SILENT = 'TimeoutError';
const POSTGRES_CLOSED = /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered)/;

function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** The HTTP status of an S3 answer, as the AWS SDK reports it. */
function httpStatusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('$metadata' in error)) return undefined;
  return (error.$metadata as { httpStatusCode?: number }).httpStatusCode;
}

/** True when a dependency could not be reached or is too busy, as opposed to having answered with a refusal. */
export function isDependencyUnavailable(error: unknown): boolean {
  const code = codeOf(error);
  if (
    code !== undefined &&
    (POSTGRES_UNAVAILABLE.test(code) || POSTGRES_BUSY.test(code) || NETWORK_UNAVAILABLE.has(code))
  ) {
    return true;
  }
  const status = httpStatusOf(error);
  if (status !== undefined && (status >= 500 || status === 429)) return true;
  return error instanceof Error && (error.name === SILENT || POSTGRES_CLOSED.test(error.message));
}

function dependencyDelayMs(deferrals: number): number {
  return Math.min(FIRST_DEPENDENCY_DELAY_MS * 2 ** deferrals, LONGEST_DEPENDENCY_DELAY_MS);
}

/**
 * What to do with a job that threw, decided in this one place.
 *
 * @param attempt 1 for the first run.
 * @param deferrals how often the job was put off already: a dependency that stays overloaded is asked ever less often.
 * @param maxAttempts after which an unknown error stops the batch for a person, instead of skipping data.
 */
export function decide(
  error: unknown,
  { attempt, deferrals }: { attempt: number; deferrals: number },
  maxAttempts: number,
): Decision {
  if (error instanceof StaleWorkError) return { action: 'drop' };
  if (error instanceof FatalError) return { action: 'fail' };
  if (error instanceof CrashLoopError) return { action: 'halt' };
  if (error instanceof DeferError) return { action: 'defer', delayMs: error.delayMs };
  if (isDependencyUnavailable(error)) return { action: 'defer', delayMs: dependencyDelayMs(deferrals) };
  return attempt < maxAttempts ? { action: 'retry' } : { action: 'halt' };
}

/** Redis only ever sees ids, so what these libraries say quotes nothing personal. */
const QUEUE_LIBRARIES = /node_modules\/(ioredis|bullmq)\//;

function describeOne(error: Error, withPlace: boolean): string {
  if (error instanceof BackfillError) return error.message;
  const code = codeOf(error);
  const constraint = 'constraint' in error && typeof error.constraint === 'string' ? ` on ${error.constraint}` : '';
  const status = httpStatusOf(error);
  const where = /^ +at (.+)$/m.exec(error.stack ?? '')?.[1];
  const message = where !== undefined && QUEUE_LIBRARIES.test(where) ? error.message : undefined;
  const parts = [error.name, message, code && `${code}${constraint}`, status && `HTTP ${status}`];
  return [...parts, withPlace && where && `at ${where}`].filter(Boolean).join(' ');
}

function describeChain(error: unknown, withPlace: boolean): string {
  if (!(error instanceof Error)) return `a thrown ${typeof error}`;
  const own = describeOne(error, withPlace);
  return error.cause === undefined ? own : `${own}: ${describeChain(error.cause, withPlace)}`;
}

/**
 * An error and its causes for a log line. Of errors that are not ours it tells the kind, the code and the place, not
 * the message: parsers and databases quote the value they stumbled over, and values may be personal data.
 */
export function describeError(error: unknown): string {
  return describeChain(error, true);
}

/** Like {@link describeError} without places in the code: for a batch's status and for Redis. */
export function describeReason(error: unknown): string {
  return describeChain(error, false);
}
