import net from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiAnswer, startApi, type TestApi } from '../support/api.ts';
import { createConfigDir } from '../support/config-dir.ts';
import { createTestEnvironment } from '../support/environment.ts';
import { waitFor } from '../support/wait-for.ts';

const LIMITS = { API_REQUESTS_PER_MINUTE: '12', API_REFUSALS_PER_MINUTE: '5' };

let api: TestApi;
let limited: TestApi;
beforeAll(async () => {
  const environment = await createTestEnvironment();
  const config = await createConfigDir();
  api = await startApi({ environment, config });
  limited = await startApi({
    environment: { ...environment, env: { ...environment.env, ...LIMITS } },
    config,
    tokens: false,
  });
});
afterAll(async () => {
  await limited?.dispose();
  await api?.dispose();
  await api?.config.remove();
});

const PLAIN_POLICY = /^default-src 'none';\s?base-uri 'none';\s?form-action 'none';\s?frame-ancestors 'none'$/;

it.each(['/healthz', '/metrics', '/docs/json', '/v1/batches', '/v1/batches/none', '/nowhere'])(
  'tells browsers to do nothing with what %s answers',
  async (path) => {
    const { headers } = await api.call('GET', path, 'viewer');
    expect(headers.get('content-security-policy')).toMatch(path === '/docs/json' ? /default-src 'none'/ : PLAIN_POLICY);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
  },
);

it('has nobody on the way keep what was told to somebody', async () => {
  expect((await api.call('GET', '/v1/batches', 'viewer')).headers.get('cache-control')).toBe('private, no-store');
});

it('refuses a body that is too large, whether it says so or not', async () => {
  const big = JSON.stringify({ batch_id: 'x'.repeat(600 * 1024) });
  const answers = [await api.call('POST', '/v1/batches', 'submitter', big), await sendInChunks(big)];
  for (const { status, json } of answers) {
    expect(status).toBe(413);
    expect(json).toMatchObject({ type: 'urn:backfill:problem:body-too-large', instance: '/v1/batches' });
  }
});

/** Without a Content-Length. */
async function sendInChunks(text: string): Promise<Pick<ApiAnswer, 'status' | 'json'>> {
  const answer = await fetch(`${api.url}/v1/batches`, {
    method: 'POST',
    headers: { authorization: 'Bearer submitter', 'content-type': 'application/json' },
    body: new Blob([text]).stream(),
    duplex: 'half',
  } as RequestInit);
  return { status: answer.status, json: (await answer.json()) as Record<string, unknown> };
}

it.each(['text/plain', 'application/xml', 'multipart/form-data; boundary=x'])('takes no body of %s', async (type) => {
  const answer = await fetch(`${api.url}/v1/batches`, {
    method: 'POST',
    headers: { authorization: 'Bearer submitter', 'content-type': type },
    body: '{}',
  });
  expect(answer.status).toBe(415);
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
});

describe('a limit', () => {
  async function callUntilLimited(most: number, token: string): Promise<ApiAnswer[]> {
    const answers: ApiAnswer[] = [];
    while (answers.length < most && answers.at(-1)?.status !== 429) {
      answers.push(await limited.call('GET', '/v1/freezes', token));
    }
    return answers;
  }

  it('is for an actor, whatever tokens they use, and for nobody else', async () => {
    await limited.addToken('first', { actor: 'ada', roles: ['viewer'] });
    await limited.addToken('second', { actor: 'ada', roles: ['viewer'] });
    const answers = await callUntilLimited(20, 'first');
    expect(answers.map(({ status }) => status)).toEqual([...Array.from({ length: 12 }, () => 200), 429]);
    const last = answers.at(-1);
    expect(last?.json).toMatchObject({ type: 'urn:backfill:problem:too-many-requests', status: 429 });
    expect(Number(last?.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(Number(last?.headers.get('retry-after'))).toBeLessThanOrEqual(60);
    expect((await limited.call('GET', '/v1/freezes', 'second')).status).toBe(429);
    expect((await limited.call('GET', '/v1/freezes', 'viewer')).status).toBe(200);
  });

  it('is for an address that tries tokens, and leaves the valid ones alone', async () => {
    const answers = await callUntilLimited(20, 'forged');
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 401, 401, 429]);
    expect((await limited.call('GET', '/v1/freezes', 'other-forged')).status).toBe(429);
    expect((await limited.call('GET', '/v1/freezes', 'operator')).status).toBe(200);
  });

  it.each(['/healthz', '/readyz', '/metrics'])('is not for %s', async (path) => {
    for (let times = 0; times < 20; times += 1) {
      expect((await limited.call('GET', path, undefined)).status).toBe(200);
    }
  });
});

describe('the page of the queues', () => {
  const basic = (token: string) => ({ authorization: `Basic ${Buffer.from(`me:${token}`).toString('base64')}` });
  const ask = (path: string, headers: Record<string, string>, method = 'GET') =>
    fetch(`${api.url}${path}`, { method, headers });
  const PATHS = ['/queues', '/queues/', '/queues/api/queues', '/queues/queue/rollback', '/queues/static/favicon.ico'];

  it.each(PATHS)('shows %s to operators only', async (path) => {
    for (const role of ['viewer', 'submitter', 'data_privacy_officer', 'product_owner']) {
      expect((await ask(path, basic(role))).status).toBe(403);
    }
    for (const headers of [{}, basic('forged'), basic(''), { authorization: 'Basic' }]) {
      const answer = await ask(path, headers as Record<string, string>);
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toMatch(/^Basic /);
      expect(answer.headers.get('content-type')).toBe('application/problem+json');
    }
    for (const headers of [basic('operator'), { authorization: 'Bearer operator' }]) {
      expect((await ask(path, headers)).status).toBe(200);
    }
  });

  it('takes no token from an address', async () => {
    for (const name of ['token', 'access_token', 'authorization']) {
      expect((await ask(`/queues?${name}=operator`, {})).status).toBe(401);
    }
  });

  it('changes nothing, whoever asks', async () => {
    await api.call('POST', '/v1/batches', 'submitter', {
      batch_id: 'shown',
      source: 'app',
      reason: 'outage',
      input: `s3://${api.rawBucket}/shown/`,
      window: { start: '2026-11-01T00:00:00Z', end: '2026-11-02T00:00:00Z' },
    });
    const { producers } = api.context;
    const count = async () => (await producers['raw-chunks'].countByState())['waiting'];
    await waitFor('its job', async () => ((await count()) === 1 ? true : undefined));
    const changes = [
      ['PUT', '/queues/api/queues/raw-chunks/pause'],
      ['PUT', '/queues/api/queues/raw-chunks/obliterate'],
      ['PUT', '/queues/api/queues/raw-chunks/empty'],
      ['PUT', '/queues/api/queues/raw-chunks/plan_1_1/clean'],
      ['POST', '/queues/api/queues/raw-chunks/add'],
      ['PUT', '/queues/api/queues/pause'],
      ['DELETE', '/queues/api/queues/raw-chunks/plan_1_1'],
      ['PATCH', '/queues/api/queues/raw-chunks/plan_1_1/update-data'],
    ] as const;
    for (const [method, path] of changes) {
      expect([403, 404], path).toContain((await ask(path, basic('operator'), method)).status);
      // What Bull Board itself might take for another method.
      const headers = { ...basic('operator'), 'x-http-method-override': method };
      expect([200, 404], path).toContain((await ask(path, headers)).status);
    }
    expect(await count()).toBe(1);
    const { headers } = await ask('/queues/api/queues', basic('operator'));
    expect(headers.get('content-security-policy')).toContain("script-src 'self'");
  });

  it('shows ids, and nothing of events', async () => {
    const answer = await ask('/queues/api/queues/raw-chunks/plan_1_1', basic('operator'));
    const { job } = (await answer.json()) as { job: { data: object } };
    expect(Object.keys(job.data).sort()).toEqual(['batch_id', 'batch_no', 'epoch', 'v']);
  });
});

describe('a request id', () => {
  it('is taken over where it can name nobody, and is on every answer', async () => {
    const given = '0b9f5f4e-6d0a-4a53-9c1e-2f3f6a0c7d11';
    const answer = await fetch(`${api.url}/v1/batches`, { headers: { 'x-request-id': given } });
    expect(answer.headers.get('x-request-id')).toBe(given);
    const other = await fetch(`${api.url}/healthz`, { headers: { 'x-request-id': 'ada@example.org' } });
    expect(other.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });
});

it('answers what is not HTTP, and goes on', async () => {
  const { port, hostname } = new URL(api.url);
  const socket = net.connect(Number(port), hostname);
  const answer = new Promise<string>((resolve, reject) => {
    let text = '';
    socket.on('data', (chunk) => {
      text += String(chunk);
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(text));
  });
  socket.end('NOT HTTP AT ALL\r\n\r\n');
  expect(await answer).toMatch(/^HTTP\/1\.1 400 /);
  expect((await api.call('GET', '/healthz', undefined)).status).toBe(200);
});
