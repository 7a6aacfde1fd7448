import type { FastifySchemaCompiler } from 'fastify';
import type { z } from 'zod';
import { toFieldErrors } from './field-errors.ts';
import { invalidRequest, Problem } from './problem.ts';

/** A request that its zod schema refuses is a problem that names every invalid field; a bad path leads nowhere. */
export const zodValidatorCompiler: FastifySchemaCompiler<z.ZodType> =
  ({ schema, httpPart }) =>
  (data: unknown) => {
    const result = schema.safeParse(data);
    if (result.success) return { value: result.data };
    const error =
      httpPart === 'params'
        ? new Problem('not-found', 'There is nothing under this path.')
        : invalidRequest(toFieldErrors(result.error));
    return { error };
  };
