import { ROLES } from '@backfill/core/domain/approvals';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startApi, type TestApi } from '../support/api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api?.dispose());

const ROUTES: [method: string, path: string, roles: readonly string[]][] = [
  ['GET', '/v1/batches', ROLES],
  ['GET', '/v1/batches/none', ROLES],
  ['GET', '/v1/batches/none/progress', ROLES],
  ['GET', '/v1/batches/none/report.json', ROLES],
  ['GET', '/v1/batches/none/report.csv', ROLES],
  ['GET', '/v1/batches/none/report.html', ROLES],
  ['GET', '/v1/events/none', ROLES],
  ['GET', '/v1/freezes', ROLES],
  ['POST', '/v1/batches', ['submitter']],
  ['POST', '/v1/batches/none/approvals', ROLES],
  ['POST', '/v1/batches/none/rehearsal', ['operator']],
  ['POST', '/v1/batches/none/escalations', ROLES],
  ['POST', '/v1/batches/none/escalations/1/decision', ROLES],
  ['POST', '/v1/batches/none/incidents/1/close', ['operator']],
  ['POST', '/v1/batches/none/halt', ['operator']],
  ['POST', '/v1/batches/none/resume', ['operator']],
  ['POST', '/v1/batches/none/verify', ['operator']],
  ['POST', '/v1/batches/none/publish', ['operator']],
  ['POST', '/v1/batches/none/rollback', ['operator']],
  ['POST', '/v1/erasures', ['data_privacy_officer']],
  ['GET', '/v1/erasures/1', ['data_privacy_officer']],
];

it.each(ROUTES)('lets only the right roles %s %s', async (method, path, roles) => {
  for (const role of ROLES) {
    const { status } = await api.call(method, path, role);
    if (roles.includes(role)) expect([200, 404, 422]).toContain(status);
    else expect(status).toBe(403);
  }
});

it.each(ROUTES)('refuses to %s %s without a valid token', async (method, path) => {
  const id = `${method}${path}`;
  await api.addToken(`expired ${id}`.replace(/\W/g, '-'), { roles: ROLES, expiresAt: '2026-01-01' });
  await api.addToken(`revoked ${id}`.replace(/\W/g, '-'), { roles: ROLES, revokedAt: '2026-01-01' });
  const tokens = [`expired ${id}`, `revoked ${id}`, 'forged'].map((token) => token.replace(/\W/g, '-'));
  for (const token of [undefined, '', ...tokens]) {
    const answer = await api.call(method, path, token);
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
  }
});

it.each(['/healthz', '/readyz', '/metrics', '/docs/json'])('answers %s to anyone', async (path) => {
  expect((await api.call('GET', path, undefined)).status).toBe(200);
});

it('describes every route in OpenAPI 3.1', async () => {
  const { json } = await api.call('GET', '/docs/json', undefined);
  expect(json.openapi).toBe('3.1.0');
  expect(Object.keys(json.paths as object).sort()).toEqual([
    '/healthz',
    '/metrics',
    '/readyz',
    '/v1/batches',
    '/v1/batches/{batch_id}',
    '/v1/batches/{batch_id}/approvals',
    '/v1/batches/{batch_id}/escalations',
    '/v1/batches/{batch_id}/escalations/{escalation_no}/decision',
    '/v1/batches/{batch_id}/halt',
    '/v1/batches/{batch_id}/import-limit',
    '/v1/batches/{batch_id}/incidents/{incident_id}/close',
    '/v1/batches/{batch_id}/progress',
    '/v1/batches/{batch_id}/publish',
    '/v1/batches/{batch_id}/rehearsal',
    '/v1/batches/{batch_id}/report.csv',
    '/v1/batches/{batch_id}/report.html',
    '/v1/batches/{batch_id}/report.json',
    '/v1/batches/{batch_id}/resume',
    '/v1/batches/{batch_id}/rollback',
    '/v1/batches/{batch_id}/verify',
    '/v1/erasures',
    '/v1/erasures/{erasure_id}',
    '/v1/events/{event_id}',
    '/v1/freezes',
    '/v1/retention',
    '/v1/retention/runs',
    '/v1/retention/runs/{run_id}',
  ]);
});
