import { afterAll, beforeAll, expect, it } from 'vitest';
import { startApi, type TestApi } from '../support/api.ts';
import { createApiBatches } from '../support/api-batches.ts';
import { waitFor } from '../support/wait-for.ts';

let api: TestApi;
let batches: ReturnType<typeof createApiBatches>;
beforeAll(async () => {
  api = await startApi();
  batches = createApiBatches(api);
});
afterAll(() => api?.dispose());

it('stores a batch with its first work, once for the same body', async () => {
  const body = batches.submission('submit-1');
  const first = await api.call('POST', '/v1/batches', 'submitter', body);
  expect(first.status).toBe(202);
  expect(first.headers.get('location')).toBe('/v1/batches/submit-1');
  expect(first.json).toMatchObject({
    batch_id: 'submit-1',
    status: 'submitted',
    submitted_by: 'submitter',
    attempt: 1,
  });
  expect(first.json.window).toEqual({ start: '2026-11-01T00:00:00.000Z', end: '2026-11-01T23:00:00.000Z' });

  const reordered = Object.fromEntries(Object.entries(body).reverse());
  expect((await api.call('POST', '/v1/batches', 'submitter', reordered)).status).toBe(200);
  expect((await api.call('POST', '/v1/batches', 'submitter', { ...body, ticket: 'OPS-1' })).status).toBe(409);

  expect(
    await api.count(`select count(*) from analytics.backfill_outbox where batch_id = $1 and kind = 'plan'`, 'submit-1'),
  ).toBe(1);
  expect(
    await api.count('select count(*) from analytics.backfill_batches_metadata where batch_id = $1', 'submit-1'),
  ).toBe(1);
});

it('makes one batch of the same body sent many times at once', async () => {
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => api.call('POST', '/v1/batches', 'submitter', batches.submission('submit-2'))),
  );
  expect(answers.map((answer) => answer.status).sort()).toEqual([200, 200, 200, 200, 200, 200, 200, 202]);
});

it('makes one batch of different bodies under one id sent at once', async () => {
  const answers = await Promise.all(
    Array.from({ length: 4 }, (_, ticket) =>
      api.call('POST', '/v1/batches', 'submitter', { ...batches.submission('submit-3'), ticket: `OPS-${ticket}` }),
    ),
  );
  expect(answers.map((answer) => answer.status).sort()).toEqual([202, 409, 409, 409]);
});

it('names five mistakes of a body with five', async () => {
  const { status, headers, json } = await api.call('POST', '/v1/batches', 'submitter', {
    batch_id: "x'; drop table analytics.backfill_batches; --",
    source: 'nosuch',
    reason: 'outage',
    input: 's3://elsewhere/x/',
    window: { start: '2026-11-02T00:00:00Z', end: '2026-11-01T00:00:00Z' },
    max_overlap: 2,
  });
  expect(status).toBe(422);
  expect(headers.get('content-type')).toBe('application/problem+json');
  expect(json).toMatchObject({ type: 'urn:backfill:problem:invalid-request', status: 422, instance: '/v1/batches' });
  expect(json.errors).toEqual([
    { path: 'batch_id', message: expect.stringContaining('does not match') },
    { path: 'input', message: `must lie in the raw bucket, s3://${api.rawBucket}/` },
    { path: 'window', message: 'start must be before end' },
    { path: 'max_overlap', message: expect.any(String) },
    { path: 'source', message: 'is not configured; there are: app, billing, cdn, product-archive, web-access' },
  ]);
});

it.each<[string, string, number]>([
  ['no JSON', '{"batch_id":', 400],
  ['a body that would change prototypes', '{"__proto__": {"a": 1}}', 400],
  ['an array', '[]', 422],
  ['too much', JSON.stringify({ ticket: 'x'.repeat(600_000) }), 413],
])('refuses %s', async (_what, body, expected) => {
  const { status, json } = await api.call('POST', '/v1/batches', 'submitter', body);
  expect([status, json.status]).toEqual([expected, expected]);
});

it('tells the mistakes of an edited configuration, and sees when they are mended', async () => {
  await api.config.editPolicy((policy) => {
    policy.limits.max_batch_rows = -1;
  });
  const refused = await api.call('POST', '/v1/batches', 'submitter', batches.submission('submit-4'));
  expect(refused.status).toBe(503);
  expect(refused.json.errors).toEqual([
    { path: expect.stringContaining('max_batch_rows'), message: expect.any(String) },
  ]);
  await api.config.editPolicy((policy) => {
    policy.limits.max_batch_rows = 1_000;
  });
  await batches.submit('submit-4');
});

it('dispatches what was submitted', async () => {
  await batches.submit('dispatch-1');
  await waitFor('the plan job to be sent', async () => {
    const sent = await api.count(
      'select count(*) from analytics.backfill_outbox where batch_id = $1 and dispatched_at is not null',
      'dispatch-1',
    );
    return sent === 1 ? sent : undefined;
  });
});

it('refuses references that cannot be baselines, with each field named', async () => {
  const reference = { kpi: 'daily_active_sessions', day: '2026-11-01', value: 100, source: 'warehouse' };
  const submit = (...references: object[]) =>
    api.call('POST', '/v1/batches', 'submitter', { ...batches.submission('submit-references'), references });
  const paths = async (...references: object[]) => {
    const { status, json } = await submit(...references);
    return [status, ...(json.errors as { path: string }[]).map(({ path }) => path)];
  };
  // The window is of one local day, from 01:00 on.
  expect(await paths({ ...reference, day: '2026-10-31' }, reference, { ...reference, day: '2026-11-02' })).toEqual([
    ...[422, 'references.0.day', 'references.2.day'],
  ]);
  expect(await paths(reference, { ...reference, value: 101 })).toEqual([422, 'references.1.value']);
  expect(await paths({ ...reference, kpi: 'revenue', value: -1 })).toEqual([422, 'references.0.kpi']);
  expect(await paths({ ...reference, value: 'many' }, { ...reference, value: null })).toEqual([
    ...[422, 'references.0.value', 'references.1.value'],
  ]);
  expect((await submit(reference, { ...reference, source: 'logs' })).status).toBe(202);
});
