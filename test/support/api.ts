import { createHash } from 'node:crypto';
import { type ApiContext, createApiContext } from '@backfill/api/context';
import { createApiService } from '@backfill/api/service';
import { readEnvironment } from '@backfill/core/config/environment';
import { ROLES } from '@backfill/core/domain/approvals';
import type pg from 'pg';
import type { TestEnvironment } from './environment.ts';

export interface ApiAnswer {
  status: number;
  headers: Headers;
  text: string;
  /** The answer as JSON; an empty object when it is none. */
  json: Record<string, unknown>;
}

/** A running API with one token per role; the token's text and its actor are the role's name. */
export interface TestApi {
  context: ApiContext;
  url: string;
  /** @param token undefined: without an Authorization header. @param body sent as it is when a string, else as JSON. */
  call(method: string, path: string, token: string | undefined, body?: unknown): Promise<ApiAnswer>;
  stop(): Promise<void>;
}

/** Makes a token known. */
export async function addToken(
  sql: pg.Pool,
  token: string,
  fields: { actor?: string; roles: readonly string[]; expiresAt?: string; revokedAt?: string },
): Promise<void> {
  await sql.query(
    `insert into analytics.backfill_api_tokens (token_sha256, actor, roles, expires_at, revoked_at)
     values ($1, $2, $3, $4, $5)`,
    [
      createHash('sha256').update(token).digest('hex'),
      fields.actor ?? token,
      fields.roles,
      fields.expiresAt ?? null,
      fields.revokedAt ?? null,
    ],
  );
}

function parseObject(text: string, type: string | null): Record<string, unknown> {
  return type !== null && /json/.test(type) ? (JSON.parse(text) as Record<string, unknown>) : {};
}

/** Starts the real API in this process, in a test's own environment. */
export async function startApi(environment: TestEnvironment, configDir: string): Promise<TestApi> {
  const config = readEnvironment('api', { ...environment.env, BACKFILL_CONFIG_DIR: configDir });
  const context = createApiContext(config);
  const service = createApiService(context);
  for (const role of ROLES) await addToken(environment.sql, role, { roles: [role] });
  await service.start();
  return {
    context,
    url: service.url(),
    async call(method, path, token, body) {
      const headers = new Headers();
      if (token !== undefined) headers.set('authorization', `Bearer ${token}`);
      if (body !== undefined) headers.set('content-type', 'application/json');
      const answer = await fetch(service.url() + path, {
        method,
        headers,
        body: body === undefined || typeof body === 'string' ? (body ?? null) : JSON.stringify(body),
      });
      const text = await answer.text();
      const json = parseObject(text, answer.headers.get('content-type'));
      return { status: answer.status, headers: answer.headers, text, json };
    },
    stop: () => service.stop(),
  };
}
