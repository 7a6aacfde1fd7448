import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startApi, type TestApi } from '../support/api.ts';
import { createApiBatches } from '../support/api-batches.ts';

/** More than one actor may follow at once. */
const LEAVING = 30;

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api?.dispose());

it('frees the place of a client that leaves while its batch is looked up', async () => {
  await createApiBatches(api).submit('left-1');
  const { hostname, port } = new URL(api.url);
  for (let client = 0; client < LEAVING; client++) {
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    // It resets its own connection: what it hears of that is of no account.
    socket.on('error', () => undefined);
    const head = `host: localhost\r\nauthorization: Bearer viewer`;
    socket.end(`GET /v1/batches/left-1/progress HTTP/1.1\r\n${head}\r\n\r\n`);
    socket.resetAndDestroy();
  }
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const response = await fetch(`${api.url}/v1/batches/left-1/progress`, {
    headers: { authorization: 'Bearer viewer' },
  });
  expect(response.status).toBe(200);
  await response.body?.cancel();
});

it.each([
  ['revoked', 'revoked_at = now()'],
  ['expired', 'expires_at = now()'],
  ['of other roles', `roles = '{viewer,operator}'`],
])('ends the stream of a token that is %s since', async (name, change) => {
  const token = `follower ${name}`.replaceAll(' ', '-');
  await createApiBatches(api).submit(`left-${token}`);
  await api.addToken(token, { roles: ['viewer'] });
  const response = await fetch(`${api.url}/v1/batches/left-${token}/progress`, {
    headers: { authorization: `Bearer ${token}` },
  });
  expect(response.status).toBe(200);
  await api.sql.query(`update analytics.backfill_api_tokens set ${change} where actor = $1`, [token]);
  // Nothing moves the batch here: without a look at the token, the stream would be open for ever.
  expect(await response.text()).toContain('event: batch');
});
