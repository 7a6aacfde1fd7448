import { ApiNotUnderstood, ApiUnreachable, problemFrom } from './api-problem.ts';

export interface ApiClientOptions {
  /** `BACKFILL_API_URL`. */
  baseUrl: string;
  token: string;
  /** Ends every request when it aborts. */
  signal?: AbortSignal | undefined;
}

export interface ApiAnswer {
  /** The HTTP status, 200 to 299. */
  status: number;
  body: unknown;
}

/** The HTTP API on behalf of one token. Paths begin with a slash. */
export interface ApiClient {
  /** @throws {ApiProblem} when the API refuses. @throws {ApiUnreachable} when nothing answers. */
  get(path: string): Promise<ApiAnswer>;
  /** As `get`, with a JSON body; an empty object when there is nothing to say. */
  post(path: string, body: object): Promise<ApiAnswer>;
  /** A document as it is (reports). */
  download(path: string): Promise<Uint8Array>;
  /** An open answer, for server-sent events. The caller ends it with the signal. */
  open(path: string, accept: string, signal: AbortSignal): Promise<Response>;
}

const REQUEST_TIMEOUT_MS = 60_000;

/** Makes no connection yet. */
export function createApiClient(options: ApiClientOptions): ApiClient {
  const json = async (method: string, path: string, body?: object): Promise<ApiAnswer> => {
    const answer = await send(options, path, {
      method,
      accept: 'application/json',
      signal: limited(options.signal),
      body,
    });
    return { status: answer.status, body: await readJson(answer, options.baseUrl) };
  };
  return {
    get: (path) => json('GET', path),
    post: (path, body) => json('POST', path, body),
    async download(path) {
      const signal = limited(options.signal);
      const answer = await send(options, path, { method: 'GET', accept: '*/*', signal });
      return answer.bytes();
    },
    open: (path, accept, signal) =>
      send(options, path, { method: 'GET', accept, signal: joined(options.signal, signal) }),
  };
}

/** The path of a batch, or of something below it: `/v1/batches/demo/halt`. */
export function batchPath(batchId: string, below = ''): string {
  return `/v1/batches/${encodeURIComponent(batchId)}${below}`;
}

interface SendOptions {
  method: string;
  accept: string;
  signal: AbortSignal;
  body?: object | undefined;
}

async function send(client: ApiClientOptions, path: string, options: SendOptions): Promise<Response> {
  const { method, accept, signal, body } = options;
  const headers: Record<string, string> = { authorization: `Bearer ${client.token}`, accept };
  if (body !== undefined) headers['content-type'] = 'application/json';
  let answer: Response;
  try {
    answer = await fetch(new URL(path, client.baseUrl), {
      method,
      headers,
      signal,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  } catch (error) {
    if (client.signal?.aborted === true) throw error;
    throw new ApiUnreachable(client.baseUrl, { cause: error });
  }
  if (!answer.ok) throw problemFrom(answer.status, await answer.text());
  return answer;
}

async function readJson(answer: Response, baseUrl: string): Promise<unknown> {
  const text = await answer.text();
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ApiNotUnderstood(baseUrl, { cause: error });
  }
}

function limited(signal: AbortSignal | undefined): AbortSignal {
  return joined(signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS));
}

function joined(one: AbortSignal | undefined, other: AbortSignal): AbortSignal {
  return one === undefined ? other : AbortSignal.any([one, other]);
}
