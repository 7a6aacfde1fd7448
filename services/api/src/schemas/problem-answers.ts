import { z } from 'zod';

/** A problem document by RFC 9457, as the OpenAPI document tells it. */
const ProblemSchema = z
  .object({
    type: z.string().describe('urn:backfill:problem: and the kind'),
    title: z.string(),
    status: z.int(),
    detail: z.string().describe('What is wrong this time, and often what to do next'),
    instance: z.string().describe('The path that was asked for'),
    errors: z
      .array(z.object({ path: z.string(), message: z.string() }))
      .optional()
      .describe('Every invalid field'),
  })
  .meta({
    id: 'Problem',
    examples: [
      {
        type: 'urn:backfill:problem:invalid-request',
        title: 'The request has mistakes',
        status: 422,
        detail: '1 field is not valid.',
        instance: '/v1/batches',
        errors: [{ path: 'window.start', message: 'is not an RFC 3339 time with an offset' }],
      },
    ],
  });

const DESCRIPTIONS = {
  400: 'The request cannot be read',
  401: 'No valid token',
  403: 'The token lacks the role',
  404: 'There is no such thing',
  409: 'Does not fit the state of the batch',
  413: 'The body is too large',
  415: 'The body is not JSON',
  422: 'Every invalid field is named',
  429: 'Too many requests; Retry-After says in how many seconds to come back',
  500: 'The server failed; its log tells more, under the id in x-request-id',
  503: 'Something that the server needs is missing',
} as const;

/** The problem documents that a route may answer, for the OpenAPI document. */
export function problemAnswers(...statuses: (keyof typeof DESCRIPTIONS)[]) {
  return Object.fromEntries(
    statuses.map((status) => [
      status,
      {
        description: DESCRIPTIONS[status],
        content: { 'application/problem+json': { schema: ProblemSchema } },
      },
    ]),
  );
}
