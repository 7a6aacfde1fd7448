import { createConfig, lintFromString } from '@redocly/openapi-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startApi, type TestApi } from '../support/api.ts';

interface Media {
  schema: Record<string, unknown>;
  example?: unknown;
  examples?: object;
}

interface Operation {
  summary?: string;
  description?: string;
  operationId?: string;
  tags?: string[];
  security?: unknown[];
  parameters?: { in: string; name: string }[];
  requestBody?: { content: Record<string, Media> };
  responses: Record<string, { description: string; content?: Record<string, Media> }>;
}

interface OpenApi {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, { examples?: unknown[] }> };
}

let api: TestApi;
let text: string;
let document: OpenApi;
beforeAll(async () => {
  api = await startApi();
  ({ text } = await api.call('GET', '/docs/json', undefined));
  document = JSON.parse(text) as OpenApi;
});
afterAll(() => api?.dispose());

const operations = () =>
  Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ name: `${method} ${path}`, path, operation })),
  );

it('is valid OpenAPI 3.1, with examples that fit their schemas', async () => {
  expect(document.openapi).toBe('3.1.0');
  const config = await createConfig({
    extends: ['minimal'],
    rules: {
      struct: 'error',
      'no-unresolved-refs': 'error',
      'no-unused-components': 'error',
      'no-ambiguous-paths': 'error',
      'no-identical-paths': 'error',
      'no-path-trailing-slash': 'error',
      'path-parameters-defined': 'error',
      'path-declaration-must-exist': 'error',
      'operation-summary': 'error',
      'operation-operationId': 'error',
      'operation-operationId-unique': 'error',
      'operation-parameters-unique': 'error',
      'operation-tag-defined': 'error',
      'operation-2xx-response': 'error',
      'operation-4xx-response': 'off',
      'security-defined': 'error',
      'tag-description': 'error',
      'no-schema-type-mismatch': 'error',
      'no-enum-type-mismatch': 'error',
      'no-invalid-schema-examples': 'error',
      'no-invalid-media-type-examples': 'error',
      'no-invalid-parameter-examples': 'error',
      'no-required-schema-properties-undefined': 'error',
    },
  });
  const problems = await lintFromString({ source: text, config });
  expect(problems.map(({ ruleId, message, location }) => ({ ruleId, message, at: location[0]?.pointer }))).toEqual([]);
});

it('tells of every route below /v1 how to show a token, and what may go wrong', () => {
  for (const { name, path, operation } of operations().filter(({ path }) => path.startsWith('/v1/'))) {
    expect(operation.security, name).toEqual([{ token: [] }]);
    expect(operation.description, name).toMatch(/token/);
    const expected = ['401', '429', '500', '503'];
    if (/with the role/.test(operation.description ?? '')) expected.push('403');
    if (operation.requestBody !== undefined) expected.push('400', '413', '415', '422');
    if (path.includes('{')) expected.push('404');
    expect(Object.keys(operation.responses), name).toEqual(expect.arrayContaining(expected));
    for (const [status, { description, content }] of Object.entries(operation.responses)) {
      expect(description, name).not.toBe('Default Response');
      if (Number(status) < 400) continue;
      expect(content, name).toEqual({
        'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
      });
    }
  }
});

/** True when a body comes with an example, or its schema or component does. */
function hasExample({ schema, example, examples }: Media): boolean {
  const name = /^#\/components\/schemas\/(.*)$/.exec(String(schema['$ref'] ?? ''))?.[1];
  const given = name === undefined ? schema['examples'] : document.components.schemas[name]?.examples;
  return example !== undefined || examples !== undefined || given !== undefined;
}

it('has an example of every body that is JSON, sent or answered', () => {
  const without = operations().flatMap(({ name, operation }) =>
    [
      ...Object.entries(operation.requestBody?.content ?? {}).map(([type, media]) => ({ type, media, of: 'sent' })),
      ...Object.entries(operation.responses).flatMap(([status, { content = {} }]) =>
        Object.entries(content).map(([type, media]) => ({ type, media, of: status })),
      ),
    ]
      .filter(({ type, media }) => /json/.test(type) && !hasExample(media))
      .map(({ of }) => `${name} ${of}`),
  );
  expect(without).toEqual([]);
});
