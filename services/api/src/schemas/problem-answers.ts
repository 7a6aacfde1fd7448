import { z } from 'zod';

const ProblemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  instance: z.string(),
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
});

const DESCRIPTIONS = {
  401: 'No valid token',
  403: 'The token lacks the role',
  404: 'There is no such thing',
  409: 'Does not fit the state of the batch',
  413: 'The body is too large',
  422: 'Every invalid field is named',
  429: 'Too many requests; Retry-After says when to come back',
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
