import { ConfigError } from '@backfill/core/config/config-error';
import { isDependencyUnavailable } from '@backfill/core/errors';
import { Problem } from './problem.ts';

/** Fastify's own refusals, by code; their texts can repeat the input, so ours are given instead. */
const FASTIFY_PROBLEMS: Readonly<Record<string, () => Problem>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: () => new Problem('body-too-large', 'The body exceeds the limit of the route.'),
  FST_ERR_CTP_INVALID_MEDIA_TYPE: () => new Problem('unsupported-media-type', 'Send the body as application/json.'),
};

/** Turns whatever a route has thrown into the problem that the caller is told. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof ConfigError) {
    const errors = error.mistakes.map(({ file, path, message }) => ({ path: `${file}${path}`, message }));
    return new Problem('invalid-configuration', 'Mend the files in the configuration directory.', { errors });
  }
  if (isDependencyUnavailable(error)) {
    return new Problem('unavailable', 'Try again; GET /readyz tells what is down.', { cause: error });
  }
  const { code, statusCode } = Object(error) as { code?: unknown; statusCode?: unknown };
  const known = typeof code === 'string' ? FASTIFY_PROBLEMS[code]?.() : undefined;
  if (known !== undefined) return known;
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    return new Problem('malformed-request', 'The request is not valid HTTP with a JSON body.', { cause: error });
  }
  return new Problem('internal', 'The log of the API tells more, under the id in x-request-id.', { cause: error });
}
