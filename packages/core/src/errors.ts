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

export type Decision =
  | { action: 'drop' }
  | { action: 'retry' }
  | { action: 'defer'; delayMs: number }
  | { action: 'fail' }
  | { action: 'halt' };

/** How long to wait for a dependency that is down or overloaded. */
const DEPENDENCY_DELAY_MS = 2_000;

/** PostgreSQL: connection exceptions, out of resources, shutdown or start-up under way (Appendix A, error codes). */
const POSTGRES_UNAVAILABLE = /^(08...|53...|57P0[1-5])$/;
const NETWORK_UNAVAILABLE = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'ENOTFOUND',
  'ECONNABORTED',
]);
const POSTGRES_CLOSED = /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered)/;

function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** True when a dependency could not be reached, as opposed to having answered with a refusal. */
export function isDependencyUnavailable(error: unknown): boolean {
  const code = codeOf(error);
  if (code !== undefined && (POSTGRES_UNAVAILABLE.test(code) || NETWORK_UNAVAILABLE.has(code))) {
    return true;
  }
  return error instanceof Error && POSTGRES_CLOSED.test(error.message);
}

/**
 * What to do with a job that threw, decided in this one place.
 *
 * @param attempt 1 for the first run.
 * @param maxAttempts after which an unknown error stops the batch for a person, instead of skipping data.
 */
export function decide(error: unknown, attempt: number, maxAttempts: number): Decision {
  if (error instanceof StaleWorkError) return { action: 'drop' };
  if (error instanceof FatalError) return { action: 'fail' };
  if (error instanceof DeferError) return { action: 'defer', delayMs: error.delayMs };
  if (isDependencyUnavailable(error)) return { action: 'defer', delayMs: DEPENDENCY_DELAY_MS };
  return attempt < maxAttempts ? { action: 'retry' } : { action: 'halt' };
}

/** Redis only ever sees ids, so what these libraries say quotes nothing personal. */
const QUEUE_LIBRARIES = /node_modules\/(ioredis|bullmq)\//;

function describeOne(error: Error): string {
  if (error instanceof BackfillError) return error.message;
  const code = codeOf(error);
  const constraint = 'constraint' in error && typeof error.constraint === 'string' ? ` on ${error.constraint}` : '';
  const status = '$metadata' in error ? (error.$metadata as { httpStatusCode?: number }).httpStatusCode : undefined;
  const where = /^ +at (.+)$/m.exec(error.stack ?? '')?.[1];
  const message = where !== undefined && QUEUE_LIBRARIES.test(where) ? error.message : undefined;
  return [error.name, message, code && `${code}${constraint}`, status && `HTTP ${status}`, where && `at ${where}`]
    .filter(Boolean)
    .join(' ');
}

/**
 * An error and its causes for a log line or a status reason. Of errors that are not ours it tells the kind, the code
 * and the place, not the message: parsers and databases quote the value they stumbled over, and values may be
 * personal data.
 */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return `a thrown ${typeof error}`;
  const own = describeOne(error);
  return error.cause === undefined ? own : `${own}: ${describeError(error.cause)}`;
}
