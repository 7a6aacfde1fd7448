import { runCli } from '@backfill/cli/run-cli';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startApi, type TestApi } from '../support/api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api?.dispose());

async function run(...args: string[]) {
  const printed = { stdout: '', stderr: '' };
  const code = await runCli(['token', ...args], {
    env: { DATABASE_URL: api.env.DATABASE_URL, BACKFILL_STATE_DIR: '/nowhere' },
    stdout: { write: (text) => (printed.stdout += text) },
    stderr: { write: (text) => (printed.stderr += text) },
    signal: new AbortController().signal,
  });
  return { code, ...printed };
}

const look = async (token: string) => (await api.call('GET', '/v1/freezes', token)).status;

interface Token {
  token_id: number;
  token: string;
}

async function create(...args: string[]): Promise<Token> {
  const { code, stdout, stderr } = await run('create', '--json', ...args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as Token;
}

async function audited(tokenId: number) {
  const { rows } = await api.sql.query<{ action: string; actor: string; detail: Record<string, unknown> }>(
    `select action, actor, detail from analytics.backfill_audit_log
      where detail ->> 'token_id' = $1 order by audit_id`,
    [String(tokenId)],
  );
  return rows;
}

it('makes a token that works, has only its hash stored, and ends when it is revoked', async () => {
  const { token, token_id } = await create('--actor', 'night-shift', '--role', 'operator', 'submitter');
  expect(token).toMatch(/^bf_[A-Za-z0-9_-]{43}$/);
  expect(await look(token)).toBe(200);
  expect((await api.call('POST', '/v1/batches/none/halt', token, {})).status).toBe(404);
  expect((await api.call('POST', '/v1/erasures', token, {})).status).toBe(403);
  const { rows } = await api.sql.query<{ stored: string }>(
    `select t::text as stored from analytics.backfill_api_tokens t where token_id = $1
     union all select a::text from analytics.backfill_audit_log a`,
    [token_id],
  );
  expect(rows.length).toBeGreaterThan(1);
  expect(rows.filter(({ stored }) => stored.includes(token))).toEqual([]);

  expect((await run('revoke', String(token_id))).stdout).toContain('revoked');
  expect(await look(token)).toBe(401);
  expect((await run('expire', String(token_id), '--at', '2999-01-01T00:00:00Z')).code).toBe(0);
  expect(await look(token)).toBe(401);
  const log = await audited(token_id);
  expect(log.map(({ action }) => action)).toEqual(['token', 'token_changed', 'token_changed']);
  expect(log.every(({ actor }) => /^sql:/.test(actor))).toBe(true);
  expect(log[0]?.detail).toMatchObject({ actor: 'night-shift', roles: ['operator', 'submitter'], revoked_at: null });
  expect(log[1]?.detail['revoked_at']).toEqual(expect.any(String));
  expect(JSON.stringify(log)).not.toContain('sha256');
});

it('has a token end at a time, and says what there is', async () => {
  const { token, token_id } = await create('--actor', 'visitor', '--role', 'viewer', '--days', '1');
  expect(await look(token)).toBe(200);
  expect((await run('expire', String(token_id), '--at', '2026-01-01T00:00:00+01:00')).code).toBe(0);
  expect(await look(token)).toBe(401);
  const { stdout } = await run('list');
  expect(stdout).toMatch(new RegExp(`^ *${token_id}  visitor +viewer +expired +\\S+ \\S+ +2025-12-31 23:00$`, 'm'));
  expect(stdout).toMatch(/ night-shift +operator,submitter +revoked /);
  expect(stdout).not.toContain(token);
  await api.sql.query('delete from analytics.backfill_api_tokens where token_id = $1', [token_id]);
  expect((await audited(token_id)).at(-1)).toMatchObject({ action: 'token_removed', detail: { actor: 'visitor' } });
});

it.each([
  [['create', '--actor', 'ada@example.org', '--role', 'viewer'], 2, /letters, digits/],
  [['create', '--actor', 'ada', '--role', 'root'], 2, /Allowed choices are viewer/],
  [['create', '--actor', 'ada'], 2, /--role/],
  [['expire', '1', '--at', 'tomorrow'], 2, /not a time/],
  [['revoke', '999999'], 1, /There is no token 999999/],
])('refuses %j', async (args, code, message) => {
  const result = await run(...args);
  expect(result.code).toBe(code);
  expect(result.stderr).toMatch(message);
});
