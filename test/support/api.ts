import { createHash } from 'node:crypto';
import { type ApiContext, createApiContext } from '@backfill/api/context';
import { createApiService } from '@backfill/api/service';
import { readEnvironment } from '@backfill/core/config/environment';
import { ROLES } from '@backfill/core/domain/approvals';
import { createConfigDir } from './config-dir.ts';
import { createTestEnvironment, type TestEnvironment } from './environment.ts';

export interface ApiAnswer {
  status: number;
  headers: Headers;
  text: string;
  /** The answer as JSON; an empty object when it is none. */
  json: Record<string, unknown>;
}

interface TokenFields {
  actor?: string;
  roles: readonly string[];
  expiresAt?: string;
  revokedAt?: string;
}

/** A running API with the example configuration and one token per role; token and actor are the role's name. */
export interface TestApi extends Pick<TestEnvironment, 'sql' | 'env'> {
  context: ApiContext;
  config: Awaited<ReturnType<typeof createConfigDir>>;
  url: string;
  rawBucket: string;
  /**
   * @param token undefined: without an Authorization header
   * @param body sent as it is when a string, else as JSON
   */
  call(method: string, path: string, token: string | undefined, body?: unknown): Promise<ApiAnswer>;
  addToken(token: string, fields: TokenFields): Promise<void>;
  /** The first column of the first row, as a number. */
  count(sql: string, ...parameters: unknown[]): Promise<number>;
  dispose(): Promise<void>;
}

function parseObject(text: string, type: string | null): Record<string, unknown> {
  return type !== null && /json/.test(type) ? (JSON.parse(text) as Record<string, unknown>) : {};
}

async function call(url: string, method: string, token: string | undefined, body: unknown): Promise<ApiAnswer> {
  const headers = new Headers();
  if (token !== undefined) headers.set('authorization', `Bearer ${token}`);
  if (body !== undefined) headers.set('content-type', 'application/json');
  const text = body === undefined || typeof body === 'string' ? (body ?? null) : JSON.stringify(body);
  const answer = await fetch(url, { method, headers, body: text });
  const content = await answer.text();
  const json = parseObject(content, answer.headers.get('content-type'));
  return { status: answer.status, headers: answer.headers, text: content, json };
}

async function addToken({ sql }: TestEnvironment, token: string, fields: TokenFields): Promise<void> {
  const sha256 = createHash('sha256').update(token).digest('hex');
  await sql.query(
    `insert into analytics.backfill_api_tokens (token_sha256, actor, roles, expires_at, revoked_at)
     values ($1, $2, $3, $4, $5)`,
    [sha256, fields.actor ?? token, fields.roles, fields.expiresAt ?? null, fields.revokedAt ?? null],
  );
}

/**
 * Starts the real API in this process.
 *
 * @param given an environment and a configuration that others use too; its own ones when absent
 */
export async function startApi(given?: {
  environment: TestEnvironment;
  config: TestApi['config'];
  /** False for a second API in an environment whose tokens are there. */
  tokens?: boolean;
}): Promise<TestApi> {
  const environment = given?.environment ?? (await createTestEnvironment());
  const config = given?.config ?? (await createConfigDir());
  const context = createApiContext(readEnvironment('api', { ...environment.env, BACKFILL_CONFIG_DIR: config.dir }));
  const service = createApiService(context);
  const roles = given?.tokens === false ? [] : ROLES;
  for (const role of roles) await addToken(environment, role, { roles: [role] });
  await service.start();
  const url = service.url();
  return {
    ...environment,
    context,
    config,
    url,
    rawBucket: context.config.storage.rawBucket,
    call: (method, path, token, body) => call(url + path, method, token, body),
    addToken: (token, fields) => addToken(environment, token, fields),
    async count(sql, ...parameters) {
      const { rows } = await environment.sql.query<Record<string, unknown>>(sql, parameters);
      return Number(Object.values(rows[0] ?? {})[0]);
    },
    async dispose() {
      await service.stop();
      if (given !== undefined) return;
      await config.remove();
      await environment.dispose();
    },
  };
}
