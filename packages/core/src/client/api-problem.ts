import { z } from 'zod';

const problemSchema = z.looseObject({
  title: z.string().optional(),
  detail: z.string().optional(),
  errors: z.array(z.looseObject({ path: z.string(), message: z.string() })).optional(),
});

/** One field that the API refused. */
export interface FieldMistake {
  path: string;
  message: string;
}

/** The API refused a request: its problem document (RFC 9457). */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';
  /** The HTTP status. */
  readonly status: number;
  readonly title: string;
  readonly detail: string | undefined;
  readonly mistakes: readonly FieldMistake[];

  constructor(status: number, title: string, detail: string | undefined, mistakes: readonly FieldMistake[]) {
    super(detail === undefined ? title : `${title}: ${detail}`);
    this.status = status;
    this.title = title;
    this.detail = detail;
    this.mistakes = mistakes;
  }
}

/** The API does not answer at all. */
export class ApiUnreachable extends Error {
  override readonly name = 'ApiUnreachable';
  readonly url: string;

  constructor(url: string, options?: ErrorOptions) {
    super(`The API at ${url} does not answer`, options);
    this.url = url;
  }
}

/** What answers is no API of ours, or one of another version. */
export class ApiNotUnderstood extends Error {
  override readonly name = 'ApiNotUnderstood';

  constructor(url: string, options?: ErrorOptions) {
    super(`What answers at ${url} is not the API of this software, or one of another version`, options);
  }
}

/** Reads a problem from an answer's body; whatever else answers there (a proxy) is told by its status alone. */
export function problemFrom(status: number, body: string): ApiProblem {
  const parsed = problemSchema.safeParse(parseJson(body));
  if (!parsed.success) return new ApiProblem(status, `HTTP ${status}`, undefined, []);
  const { title, detail, errors } = parsed.data;
  return new ApiProblem(status, title ?? `HTTP ${status}`, detail, errors ?? []);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
