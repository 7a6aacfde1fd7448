import { ROLES, type Role } from '@backfill/core/domain/approvals';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startApi, type TestApi } from '../support/api.ts';

type Operation = `${'GET' | 'POST'} /${string}`;

/** Who may ask for what. A route that is not here fails the test. */
const DECIDED: Record<Operation, readonly Role[] | 'anyone'> = {
  'GET /healthz': 'anyone',
  'GET /readyz': 'anyone',
  'GET /metrics': 'anyone',
  'POST /v1/batches': ['submitter'],
  'GET /v1/batches': ROLES,
  'GET /v1/batches/{batch_id}': ROLES,
  'GET /v1/batches/{batch_id}/progress': ROLES,
  'GET /v1/batches/{batch_id}/report.json': ROLES,
  'GET /v1/batches/{batch_id}/report.csv': ROLES,
  'GET /v1/batches/{batch_id}/report.html': ROLES,
  // The body says for which role; the handler asks whether the token has it.
  'POST /v1/batches/{batch_id}/approvals': ROLES,
  'POST /v1/batches/{batch_id}/escalations': ROLES,
  'POST /v1/batches/{batch_id}/escalations/{escalation_no}/decision': ROLES,
  'POST /v1/batches/{batch_id}/rehearsal': ['operator'],
  'POST /v1/batches/{batch_id}/incidents/{incident_id}/close': ['operator'],
  'POST /v1/batches/{batch_id}/halt': ['operator'],
  'POST /v1/batches/{batch_id}/import-limit': ['operator'],
  'POST /v1/batches/{batch_id}/resume': ['operator'],
  'POST /v1/batches/{batch_id}/verify': ['operator'],
  'POST /v1/batches/{batch_id}/publish': ['operator'],
  'POST /v1/batches/{batch_id}/rollback': ['operator'],
  'GET /v1/events/{event_id}': ROLES,
  'GET /v1/freezes': ROLES,
  'GET /v1/retention': ROLES,
  'POST /v1/retention/runs': ['operator'],
  'GET /v1/retention/runs/{run_id}': ROLES,
  'POST /v1/erasures': ['data_privacy_officer'],
  'GET /v1/erasures/{erasure_id}': ['data_privacy_officer'],
};
const OPERATIONS = Object.keys(DECIDED) as Operation[];
const GUARDED = OPERATIONS.filter((operation) => DECIDED[operation] !== 'anyone');

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
  await api.addToken('expired', { roles: ROLES, expiresAt: '2026-01-01' });
  await api.addToken('revoked', { roles: ROLES, revokedAt: '2026-01-01' });
});
afterAll(() => api?.dispose());

/** Calls an operation about things that do not exist, so that nothing happens. */
function call(operation: Operation, token: string | undefined) {
  const [method = '', path = ''] = operation.split(' ');
  return api.call(
    method,
    path.replace(/\{\w*(?:_no|_id)\}/g, (name) => (name === '{batch_id}' ? 'none' : '999')),
    token,
  );
}

it('has decided about every route there is, and about no other', async () => {
  const { json } = await api.call('GET', '/docs/json', undefined);
  const there = Object.entries(json.paths as Record<string, object>).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(there.sort()).toEqual([...OPERATIONS].sort());
});

it.each(OPERATIONS.filter((operation) => DECIDED[operation] === 'anyone'))(
  'answers %s to anyone',
  async (operation) => {
    for (const token of [undefined, 'forged']) expect((await call(operation, token)).status).toBe(200);
  },
);

it.each(GUARDED)('lets only the right roles %s', async (operation) => {
  for (const role of ROLES) {
    const { status } = await call(operation, role);
    if ((DECIDED[operation] ?? []).includes(role)) expect([200, 202, 404, 422]).toContain(status);
    else expect(status).toBe(403);
  }
});

it.each(GUARDED)('refuses %s without a valid token', async (operation) => {
  for (const token of [undefined, '', 'expired', 'revoked', 'forged']) {
    const answer = await call(operation, token);
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
  }
});
