import type { FastifySchemaCompiler } from 'fastify';
import type { z } from 'zod';
import { toFieldErrors } from './field-errors.ts';
import { invalidRequest, Problem } from './problem.ts';

// Instead of zod's own words, which are for programmers.
const sayMissing = { error: (issue: { input: unknown }) => (issue.input === undefined ? 'is missing' : undefined) };

/** A request that its zod schema refuses is a problem that names every invalid field; a bad path leads nowhere. */
export const zodValidatorCompiler: FastifySchemaCompiler<z.ZodType> =
  ({ schema, httpPart }) =>
  (data: unknown) => {
    const result = schema.safeParse(data, sayMissing);
    if (result.success) return { value: result.data };
    const error =
      httpPart === 'params'
        ? new Problem('not-found', 'There is nothing under this path.')
        : invalidRequest(toFieldErrors(result.error));
    return { error };
  };
