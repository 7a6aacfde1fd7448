import { BackfillError } from '@backfill/core/errors';

/** One invalid field of a request: where it stands (`window.start`), and what is wrong with it. */
export interface FieldError {
  path: string;
  message: string;
}

/** Kind of problem → status and title. The kind is the last part of the problem's `type`. */
const KINDS = {
  'malformed-request': [400, 'The request cannot be read'],
  unauthorized: [401, 'No valid token'],
  forbidden: [403, 'Not allowed'],
  'not-found': [404, 'Not found'],
  conflict: [409, 'The request does not fit the state of things'],
  'body-too-large': [413, 'The body is too large'],
  'unsupported-media-type': [415, 'Send JSON'],
  'invalid-request': [422, 'The request has mistakes'],
  'too-many-requests': [429, 'Too many requests'],
  'not-supported': [422, 'Not supported yet'],
  internal: [500, 'The server failed'],
  'invalid-configuration': [503, 'The configuration of the server has mistakes'],
  unavailable: [503, 'A dependency does not answer'],
} as const;
export type ProblemKind = keyof typeof KINDS;

/** A problem document by RFC 9457. */
export interface ProblemDocument {
  type: string;
  title: string;
  status: number;
  detail: string;
  instance: string;
  errors?: FieldError[];
}

/**
 * An answer that is an error. `detail` and `errors` are shown to the caller: never put a raw value of the input, an
 * SQL text or an address of a server into them.
 */
export class Problem extends BackfillError {
  override name = 'Problem';
  readonly kind: ProblemKind;
  readonly errors: readonly FieldError[] | undefined;

  constructor(kind: ProblemKind, detail: string, options: { errors?: readonly FieldError[]; cause?: unknown } = {}) {
    super(detail, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.errors = options.errors;
  }

  get status(): number {
    return KINDS[this.kind][0];
  }

  /** @param instance the path that was asked for. */
  document(instance: string): ProblemDocument {
    return {
      type: `urn:backfill:problem:${this.kind}`,
      title: KINDS[this.kind][1],
      status: this.status,
      detail: this.message,
      instance,
      ...(this.errors !== undefined && { errors: [...this.errors] }),
    };
  }
}

/** A 422 that names every invalid field. */
export function invalidRequest(errors: readonly FieldError[]): Problem {
  const count = errors.length === 1 ? '1 field is' : `${errors.length} fields are`;
  return new Problem('invalid-request', `${count} not valid.`, { errors });
}

/** The 404 for a batch that does not exist. */
export function unknownBatch(): Problem {
  return new Problem('not-found', 'There is no batch with this id. GET /v1/batches lists what there is.');
}
