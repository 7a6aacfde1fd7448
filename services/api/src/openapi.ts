import { readFileSync } from 'node:fs';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import type { ApiServer } from './api-server.ts';
import { SENT_EXAMPLES } from './schemas/examples.ts';
import { PAGE_POLICY } from './security-headers.ts';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

const DESCRIPTION = {
  openapi: '3.1.0',
  info: {
    title: 'Analytics backfill',
    version,
    description:
      'Replays lost analytics events from raw logs: exactly once, proven before publish, undone on request. Errors are ' +
      'problem documents by RFC 9457. Every answer has an x-request-id: the one of the request where that is a UUID or 32 ' +
      'hexadecimal digits, else a new one. The log of each service and the audit log have it as request_id.',
  },
  servers: [{ url: '/' }],
  tags: [
    { name: 'batches', description: 'Submit, watch, stop, publish and take back' },
    { name: 'decisions', description: 'What people say about a batch' },
    { name: 'reports', description: 'The proof' },
    { name: 'events', description: 'Single events, and windows that are not to be trusted yet' },
    { name: 'privacy', description: 'Forgetting people' },
    { name: 'retention', description: 'What is past its time' },
    { name: 'health', description: 'For probes and Prometheus, without a token' },
  ],
  components: {
    securitySchemes: {
      token: { type: 'http', scheme: 'bearer', description: 'A token of ./backfill token create' },
    },
  },
} as const;

// Added here: zod leaves the examples of a body out that it changes when it reads it.
const withSentExample: typeof jsonSchemaTransform = (given) => {
  const { schema, url } = jsonSchemaTransform(given);
  const { body, operationId } = schema as { body?: Record<string, unknown>; operationId?: string };
  const example = operationId === undefined ? undefined : SENT_EXAMPLES[operationId];
  if (body !== undefined && example !== undefined) body['examples'] = [example];
  return { schema, url };
};

// Each named schema comes as what is read and as what is answered; ours are only answered.
const withoutInputs: typeof jsonSchemaTransformObject = (given) => {
  const document = jsonSchemaTransformObject(given);
  const { components } = document as { components?: { schemas?: Record<string, unknown> } };
  for (const name of Object.keys(components?.schemas ?? {})) {
    if (name.endsWith('Input')) delete components?.schemas?.[name];
  }
  return document;
};

/** The OpenAPI document at `/docs/json`, and the page to try it at `/docs`. */
export async function addOpenApi(server: ApiServer): Promise<void> {
  await server.register(swagger, {
    openapi: structuredClone(DESCRIPTION) as never,
    transform: withSentExample,
    transformObject: withoutInputs,
  });
  await server.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: PAGE_POLICY,
    uiConfig: { persistAuthorization: false, displayRequestDuration: true },
  });
}
