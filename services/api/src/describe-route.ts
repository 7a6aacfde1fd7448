import type { RouteOptions } from 'fastify';
import { z } from 'zod';
import { ANSWERED_EXAMPLES } from './schemas/examples.ts';
import { problemAnswers } from './schemas/problem-answers.ts';

/** What every route below /v1 may answer besides what it says itself. */
const ALWAYS = problemAnswers(401, 429, 500, 503);
const WITH_BODY = problemAnswers(400, 413, 415);
const WITH_ROLE = problemAnswers(403);

const DONE: Readonly<Record<string, string>> = {
  200: 'As it is now; a call that was made before changes nothing',
  201: 'Stored',
  202: 'Accepted: the services work on it',
};

/** The schema with an example, where there is one. */
function withExample(schema: z.ZodType, example: unknown): z.ZodType {
  return example === undefined ? schema : schema.meta({ ...schema.meta(), examples: [example] });
}

/** Gives an answer that is only a schema a description and an example. */
function describeAnswer(status: string, answer: unknown, example: unknown): unknown {
  if (!(answer instanceof z.ZodType)) return answer;
  return { description: DONE[status] ?? '', content: { 'application/json': { schema: withExample(answer, example) } } };
}

function describeAnswers(answers: object, operationId: string): object {
  const example = ANSWERED_EXAMPLES[operationId];
  return Object.fromEntries(
    Object.entries(answers).map(([status, answer]) => [status, describeAnswer(status, answer, example)]),
  );
}

/**
 * Adds to a route what follows from the others like it: how to show a token, who may ask, and what may go wrong.
 *
 * @throws {Error} at start, for a route that does not say who may ask for it, or has no name in the OpenAPI document
 */
export function describeRoute(route: RouteOptions): void {
  const { config, schema } = route;
  const name = `${route.method} ${route.url}`;
  const role = config?.role;
  if (role === undefined) throw new Error(`${name} does not say which role may ask for it`);
  if (!schema?.summary || !schema.operationId || !schema.tags?.length) {
    throw new Error(`${name} needs a summary, an operationId and a tag`);
  }
  const { operationId, body } = schema;
  route.schema = {
    ...schema,
    description: role === 'any' ? 'Any valid token.' : `A token with the role ${role}.`,
    security: [{ token: [] }],
    response: {
      ...ALWAYS,
      ...(role !== 'any' && WITH_ROLE),
      ...(body !== undefined && WITH_BODY),
      ...describeAnswers(Object(schema.response), operationId),
    },
  };
}
