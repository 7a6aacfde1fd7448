import { withTransaction } from '@backfill/core/db/transaction';
import { changeStatus } from '@backfill/core/dispatch/change-status';
import { ROLES } from '@backfill/core/domain/approvals';
import type { BatchStatus } from '@backfill/core/domain/batch-status';
import { archiveLayout, CSV_REPORT } from '@backfill/core/storage/layout';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addToken, startApi, type TestApi } from '../support/api.ts';
import { createConfigDir } from '../support/config-dir.ts';
import { createTestEnvironment, type TestEnvironment } from '../support/environment.ts';
import { waitFor } from '../support/wait-for.ts';

let environment: TestEnvironment;
let config: Awaited<ReturnType<typeof createConfigDir>>;
let api: TestApi;
let rawBucket: string;

beforeAll(async () => {
  environment = await createTestEnvironment();
  config = await createConfigDir();
  api = await startApi(environment, config.dir);
  rawBucket = api.context.config.storage.rawBucket;
});
afterAll(async () => {
  await api?.stop();
  await config?.remove();
  await environment?.dispose();
});

function submission(batchId: string) {
  return {
    batch_id: batchId,
    source: 'app',
    reason: 'outage',
    input: `s3://${rawBucket}/${batchId}/`,
    window: { start: '2026-11-01T00:00:00Z', end: '2026-11-02T00:00:00+01:00' },
  };
}

async function submit(batchId: string) {
  const answer = await api.call('POST', '/v1/batches', 'submitter', submission(batchId));
  expect(answer.status).toBe(202);
}

/** Takes a batch along without workers. */
async function walk(batchId: string, ...path: BatchStatus[]) {
  for (const [index, to] of path.slice(1).entries()) {
    const change = { batchId, from: [path[index] as BatchStatus], to };
    await withTransaction(api.context.pool, 'test', (client) => changeStatus(client, change));
  }
}

const RUN_ROLES = ['data_privacy_officer', 'legal_counsel_privacy'];
const PUBLISH_ROLES = ['data_engineering_lead', 'product_analytics_manager'];

async function plan(batchId: string, planHash = 'plan-1') {
  const document = { policy: { approvals: { run: RUN_ROLES, publish: PUBLISH_ROLES } } };
  await environment.sql.query(
    `insert into analytics.backfill_plans (batch_id, attempt, plan_hash, recipe_hash, plan) values ($1, 1, $2, 'r', $3)`,
    [batchId, planHash, document],
  );
  await environment.sql.query('update analytics.backfill_batches set plan_hash = $2 where batch_id = $1', [
    batchId,
    planHash,
  ]);
}

async function planned(batchId: string) {
  await submit(batchId);
  await plan(batchId);
  await walk(batchId, 'submitted', 'planning', 'awaiting_run_approval');
}

async function verified(batchId: string, gateSetHash = 'gates-1') {
  await planned(batchId);
  await walk(batchId, 'awaiting_run_approval', 'preparing', 'canary', 'importing', 'verifying');
  await environment.sql.query('update analytics.backfill_batches set gate_set_hash = $2 where batch_id = $1', [
    batchId,
    gateSetHash,
  ]);
  await walk(batchId, 'verifying', 'awaiting_publish_approval');
}

function approve(batchId: string, token: string, change: object = {}) {
  const body = { stage: 'run', role: token, decision: 'approve', ...change };
  return api.call('POST', `/v1/batches/${batchId}/approvals`, token, body);
}

const statusOf = async (batchId: string) => (await api.call('GET', `/v1/batches/${batchId}`, 'viewer')).json.status;

async function count(sql: string, batchId: string): Promise<number> {
  const { rows } = await environment.sql.query<{ count: number }>(sql, [batchId]);
  return Number(rows[0]?.count);
}

describe('authorisation', () => {
  const ROUTES: [method: string, path: string, roles: readonly string[]][] = [
    ['GET', '/v1/batches', ROLES],
    ['GET', '/v1/batches/none', ROLES],
    ['GET', '/v1/batches/none/progress', ROLES],
    ['GET', '/v1/batches/none/report.json', ROLES],
    ['GET', '/v1/batches/none/report.csv', ROLES],
    ['GET', '/v1/events/none', ROLES],
    ['GET', '/v1/freezes', ROLES],
    ['POST', '/v1/batches', ['submitter']],
    ['POST', '/v1/batches/none/approvals', ROLES],
    ['POST', '/v1/batches/none/halt', ['operator']],
    ['POST', '/v1/batches/none/resume', ['operator']],
    ['POST', '/v1/batches/none/verify', ['operator']],
    ['POST', '/v1/batches/none/publish', ['operator']],
    ['POST', '/v1/batches/none/rollback', ['operator']],
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
    await addToken(environment.sql, `expired ${id}`.replace(/\W/g, '-'), { roles: ROLES, expiresAt: '2026-01-01' });
    await addToken(environment.sql, `revoked ${id}`.replace(/\W/g, '-'), { roles: ROLES, revokedAt: '2026-01-01' });
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
});

describe('submitting', () => {
  it('stores a batch with its first work, once for the same body', async () => {
    const body = submission('submit-1');
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
      await count(`select count(*) from analytics.backfill_outbox where batch_id = $1 and kind = 'plan'`, 'submit-1'),
    ).toBe(1);
    expect(
      await count('select count(*) from analytics.backfill_batches_metadata where batch_id = $1', 'submit-1'),
    ).toBe(1);
  });

  it('makes one batch of the same body sent many times at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => api.call('POST', '/v1/batches', 'submitter', submission('submit-2'))),
    );
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, 200, 200, 200, 200, 200, 200, 202]);
  });

  it('makes one batch of different bodies under one id sent at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 4 }, (_, ticket) =>
        api.call('POST', '/v1/batches', 'submitter', { ...submission('submit-3'), ticket: `OPS-${ticket}` }),
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
      { path: 'input', message: `must lie in the raw bucket, s3://${rawBucket}/` },
      { path: 'window', message: 'start must be before end' },
      { path: 'max_overlap', message: expect.any(String) },
      { path: 'source', message: 'is not configured; there are: app, web-access' },
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
    await config.editPolicy((policy) => {
      policy.limits.max_batch_rows = -1;
    });
    const refused = await api.call('POST', '/v1/batches', 'submitter', submission('submit-4'));
    expect(refused.status).toBe(503);
    expect(refused.json.errors).toEqual([
      { path: expect.stringContaining('max_batch_rows'), message: expect.any(String) },
    ]);
    await config.editPolicy((policy) => {
      policy.limits.max_batch_rows = 1_000;
    });
    await submit('submit-4');
  });
});

describe('reading', () => {
  it('lists batches newest first, page by page', async () => {
    for (const id of ['page-1', 'page-2', 'page-3']) await submit(id);
    const first = await api.call('GET', '/v1/batches?limit=2&status=submitted', 'viewer');
    const ids = (answer: typeof first) =>
      (answer.json.batches as { batch_id: string }[]).map((batch) => batch.batch_id);
    expect(ids(first)).toEqual(['page-3', 'page-2']);
    await submit('page-4');
    const second = await api.call('GET', `/v1/batches?limit=1&cursor=${first.json.next_cursor}`, 'viewer');
    expect(ids(second)).toEqual(['page-1']);
  });

  it('ends the pages', async () => {
    const { json } = await api.call('GET', '/v1/batches?limit=200', 'viewer');
    expect(json.next_cursor).toBeNull();
  });

  it.each(['limit=0', 'limit=x', 'cursor=-1', 'status=lost', 'colour=red'])('refuses ?%s', async (query) => {
    const { status, json } = await api.call('GET', `/v1/batches?${query}`, 'viewer');
    expect(status).toBe(422);
    expect(json.errors).toEqual([{ path: query.split('=')[0], message: expect.any(String) }]);
  });

  it.each([
    '/v1/batches/none',
    "/v1/batches/x'; drop table y",
    '/v1/batches/none/report.csv',
    '/v1/events/none',
    '/v1/no',
  ])('does not find %s', async (path) => {
    const { status, json } = await api.call('GET', path, 'viewer');
    expect([status, json.type]).toEqual([404, 'urn:backfill:problem:not-found']);
  });

  it('counts the balance from the ledger: imported parts only, by file and in sum', async () => {
    await planned('balance-1');
    await environment.sql.query(
      `insert into analytics.backfill_files (batch_id, file_no, source_file, size, etag, last_modified, sha256, compression, line_count)
       values ('balance-1', 0, 'a.ndjson', 10, 'e', now(), 's', 'none', 20), ('balance-1', 1, 'b.ndjson', 10, 'e', now(), 's', 'none', 5)`,
    );
    await environment.sql.query(
      `insert into analytics.backfill_raw_chunks (batch_id, chunk_no, file_no, byte_start, byte_end, first_line, line_count, state)
       values ('balance-1', 0, 0, 0, 10, 1, 20, 'done'), ('balance-1', 1, 1, 0, 10, 1, 5, 'open')`,
    );
    await environment.sql.query(
      `insert into analytics.backfill_import_parts
         (batch_id, chunk_id, part_no, file_no, is_canary, first_line, line_count, event_count, suppressed, expired, filtered,
          quarantined, state, inserted, duplicate_same_batch, duplicate_other_batch, duplicate_live)
       select 'balance-1', chunk_id, 0, 0, true, 1, 15, 10, 1, 1, 1, 2, 'imported', 4, 3, 2, 1
         from analytics.backfill_raw_chunks where batch_id = 'balance-1' and chunk_no = 0
       union all
       select 'balance-1', chunk_id, 1, 0, false, 16, 5, 5, 0, 0, 0, 0, 'ready', 0, 0, 0, 0
         from analytics.backfill_raw_chunks where batch_id = 'balance-1' and chunk_no = 0`,
    );
    const { json } = await api.call('GET', '/v1/batches/balance-1', 'viewer');
    const imported = { read: 15, inserted: 4, duplicate: 6, suppressed: 1, expired: 1, filtered: 1, quarantined: 2 };
    const nothing = { read: 0, inserted: 0, duplicate: 0, suppressed: 0, expired: 0, filtered: 0, quarantined: 0 };
    expect(json).toMatchObject({
      progress: {
        chunks_total: 2,
        chunks_done: 1,
        lines_read: 20,
        files_total: 2,
        files_mirrored: 0,
        parts_total: 2,
        parts_imported: 1,
      },
      balance: imported,
      duplicates: { same_batch: 3, other_batch: 2, live: 1 },
      files: [
        { source_file: 'a.ndjson', lines: 20, balance: imported },
        { source_file: 'b.ndjson', lines: 5, balance: nothing },
      ],
    });
  });

  it('shows the gates of the last verification', async () => {
    await verified('gates-1');
    await environment.sql.query(
      `insert into analytics.backfill_gate_results (batch_id, attempt, run_no, gate, threshold, observed, passed, procedure)
       values ('gates-1', 1, 1, 'balance', 0, 3, false, 'p'), ('gates-1', 1, 2, 'balance', 0, 0, true, 'p'),
              ('gates-1', 2, 3, 'balance', 0, 9, false, 'p')`,
    );
    const { json } = await api.call('GET', '/v1/batches/gates-1', 'viewer');
    expect(json.gates).toMatchObject([{ gate: 'balance', threshold: 0, observed: 0, passed: true }]);
  });

  it('serves the reports from the archive', async () => {
    await submit('report-1');
    const { store } = api.context;
    const { archiveBucket } = api.context.config.storage;
    await store.put(archiveBucket, archiveLayout.report('report-1', CSV_REPORT), Buffer.from('day,rows\n'), 'text/csv');
    await store.put(
      archiveBucket,
      archiveLayout.report('report-1', 'report.json'),
      Buffer.from('{"a":1}'),
      'text/json',
    );
    const csv = await api.call('GET', '/v1/batches/report-1/report.csv', 'viewer');
    expect([csv.status, csv.headers.get('content-type'), csv.text]).toEqual([
      200,
      'text/csv; charset=utf-8',
      'day,rows\n',
    ]);
    const json = await api.call('GET', '/v1/batches/report-1/report.json', 'viewer');
    expect([json.status, json.json]).toEqual([200, { a: 1 }]);
  });

  it('traces an event to its lines, its owner and its state', async () => {
    await submit('trace-1');
    const payload = '{"event_name":"x"}';
    const { rows } = await environment.sql.query<{ event_id: string }>(
      `select analytics.event_id('app', '2026-11-01T10:00:00.123Z', $1::json) as event_id`,
      [payload],
    );
    const eventId = rows[0]?.event_id ?? '';
    const trace = () => api.call('GET', `/v1/events/${encodeURIComponent(eventId)}`, 'viewer');
    expect((await trace()).status).toBe(404);
    await environment.sql.query(
      `insert into analytics.backfill_lineage (batch_id, event_id, source_file, line_no) values ('trace-1', $1, 'a.log', 7)`,
      [eventId],
    );
    await environment.sql.query(
      `insert into analytics.backfill_event_checkpoint (event_id, batch_id) values ($1, 'trace-1')`,
      [eventId],
    );
    expect((await trace()).json).toMatchObject({ owner: 'trace-1', state: 'staged', source_file: 'a.log', line_no: 7 });
    await environment.sql.query(
      `insert into analytics.events_log (event_id, source, event_name, schema_version, event_ts, payload, batch_id)
       values ($1, 'app', 'x', '1-0-0', '2026-11-01T10:00:00.123Z', $2, null)`,
      [eventId, payload],
    );
    expect((await trace()).json).toMatchObject({ owner: null, owner_kind: 'live', state: 'live', line_no: 7 });
  });

  it('streams the batch at every change until it rests', async () => {
    await submit('stream-1');
    const answer = await fetch(`${api.url}/v1/batches/stream-1/progress`, {
      headers: { authorization: 'Bearer viewer' },
    });
    expect(answer.headers.get('content-type')).toBe('text/event-stream');
    const chunks = (answer.body as ReadableStream<Uint8Array>)
      .pipeThrough(new TextDecoderStream())
      [Symbol.asyncIterator]();
    let text = (await chunks.next()).value as string;
    await walk('stream-1', 'submitted', 'halted');
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) text += next.value;
    const statuses = [...text.matchAll(/^data: (.*)$/gm)].map((match) => JSON.parse(match[1] ?? '').status);
    expect(statuses).toEqual(['submitted', 'halted']);
  });
});

describe('approving', () => {
  it('starts the work with the last run approval, each given once', async () => {
    await planned('approve-1');
    const first = await approve('approve-1', 'data_privacy_officer');
    expect(first.json).toMatchObject({
      status: 'awaiting_run_approval',
      missing_approvals: { run: ['legal_counsel_privacy'], publish: PUBLISH_ROLES },
      approvals: [{ stage: 'run', role: 'data_privacy_officer', decision: 'approve', counts: true }],
    });
    expect((await approve('approve-1', 'data_privacy_officer')).status).toBe(200);
    const last = await approve('approve-1', 'legal_counsel_privacy');
    expect([last.status, last.json.status]).toEqual([201, 'preparing']);
    expect((await approve('approve-1', 'legal_counsel_privacy')).status).toBe(200);
    expect(await count('select count(*) from analytics.backfill_approvals where batch_id = $1', 'approve-1')).toBe(2);
    expect(
      await count(
        `select count(*) from analytics.backfill_outbox where batch_id = $1 and kind = 'mirror'`,
        'approve-1',
      ),
    ).toBe(1);
    const { json } = await api.call('GET', '/v1/freezes', 'viewer');
    expect(json.freezes).toContainEqual(expect.objectContaining({ batch_id: 'approve-1' }));
  });

  it('starts the work once when the last two approve at once', async () => {
    await planned('approve-2');
    const answers = await Promise.all(RUN_ROLES.map((role) => approve('approve-2', role)));
    expect(answers.map((answer) => answer.status)).toEqual([201, 201]);
    expect(await statusOf('approve-2')).toBe('preparing');
  });

  it('lets an approval fall with its plan', async () => {
    await planned('approve-3');
    await approve('approve-3', 'data_privacy_officer');
    await plan('approve-3', 'plan-2');
    const { json } = await api.call('GET', '/v1/batches/approve-3', 'viewer');
    expect(json).toMatchObject({ approvals: [{ counts: false }], missing_approvals: { run: RUN_ROLES } });
    expect((await approve('approve-3', 'legal_counsel_privacy')).json.status).toBe('awaiting_run_approval');
  });

  it('halts on a rejection with its reason, and lets the batch be resumed into waiting', async () => {
    await planned('approve-4');
    const no = { decision: 'reject', comment: 'wrong day' };
    const { json } = await approve('approve-4', 'data_privacy_officer', no);
    expect(json).toMatchObject({ status: 'halted', status_reason: 'rejected by data_privacy_officer: wrong day' });
    expect((await approve('approve-4', 'data_privacy_officer', no)).status).toBe(200);
    expect((await approve('approve-4', 'legal_counsel_privacy')).status).toBe(409);
    expect((await api.call('POST', '/v1/batches/approve-4/resume', 'operator')).json.status).toBe(
      'awaiting_run_approval',
    );
    await approve('approve-4', 'legal_counsel_privacy');
    expect(await statusOf('approve-4')).toBe('awaiting_run_approval');
    await approve('approve-4', 'data_privacy_officer');
    expect(await statusOf('approve-4')).toBe('preparing');
  });

  it('keeps two roles and the submission in different hands, whatever the tokens', async () => {
    await addToken(environment.sql, 'dora-1', { actor: 'dora', roles: ['data_privacy_officer'] });
    await addToken(environment.sql, 'dora-2', { actor: 'dora', roles: ['legal_counsel_privacy'] });
    await addToken(environment.sql, 'submitter-2', { actor: 'submitter', roles: ['data_privacy_officer'] });
    await planned('approve-5');
    expect((await approve('approve-5', 'submitter-2', { role: 'data_privacy_officer' })).status).toBe(403);
    expect((await approve('approve-5', 'dora-1', { role: 'data_privacy_officer' })).status).toBe(201);
    expect((await approve('approve-5', 'dora-2', { role: 'legal_counsel_privacy' })).status).toBe(409);
  });

  it.each<[string, string, object, number]>([
    ['for a role the token lacks', 'data_privacy_officer', { role: 'legal_counsel_privacy' }, 403],
    ['for a role the plan does not ask', 'product_owner', {}, 422],
    ['for the stage to come', 'data_engineering_lead', { stage: 'publish' }, 409],
    ['to override', 'data_privacy_officer', { stage: 'override', gate: 'balance' }, 422],
    ['with an unknown decision', 'data_privacy_officer', { decision: 'maybe' }, 422],
  ])('refuses to approve %s', async (what, token, change, expected) => {
    const batchId = `approve-${what.replace(/\W/g, '-')}`;
    await planned(batchId);
    expect((await approve(batchId, token, change)).status).toBe(expected);
    expect(await count('select count(*) from analytics.backfill_approvals where batch_id = $1', batchId)).toBe(0);
  });
});

describe('operating', () => {
  const post = (batchId: string, action: string, body?: unknown) =>
    api.call('POST', `/v1/batches/${batchId}/${action}`, 'operator', body);

  it('halts once, and resumes', async () => {
    await submit('halt-1');
    const halted = await post('halt-1', 'halt', { reason: 'coffee' });
    expect(halted.json).toMatchObject({
      status: 'halted',
      status_reason: 'halted by operator: coffee',
      resume_status: 'submitted',
    });
    expect((await post('halt-1', 'halt')).json.status_reason).toBe('halted by operator: coffee');
    const resumed = await post('halt-1', 'resume', {});
    expect([resumed.status, resumed.json.status]).toEqual([202, 'planning']);
    expect((await post('halt-1', 'resume')).status).toBe(409);
  });

  it('publishes only what all the roles have approved as it was measured', async () => {
    await verified('publish-1');
    await approve('publish-1', 'data_engineering_lead', { stage: 'publish' });
    const refused = await post('publish-1', 'publish');
    expect([refused.status, refused.json.detail]).toEqual([409, expect.stringContaining('product_analytics_manager')]);
    await approve('publish-1', 'product_analytics_manager', { stage: 'publish' });
    expect(await statusOf('publish-1')).toBe('awaiting_publish_approval');
    await environment.sql.query(
      `update analytics.backfill_batches set gate_set_hash = 'other' where batch_id = 'publish-1'`,
    );
    expect((await post('publish-1', 'publish')).status).toBe(409);
    await environment.sql.query(
      `update analytics.backfill_batches set gate_set_hash = 'gates-1' where batch_id = 'publish-1'`,
    );
    const published = await post('publish-1', 'publish');
    expect([published.status, published.json.status]).toEqual([202, 'publishing']);
    expect((await post('publish-1', 'publish')).status).toBe(200);
    expect(
      await count(
        `select count(*) from analytics.backfill_outbox where batch_id = $1 and kind = 'publish'`,
        'publish-1',
      ),
    ).toBe(1);
  });

  it('verifies again where there is something to verify', async () => {
    await verified('verify-1');
    expect((await post('verify-1', 'verify')).json.status).toBe('verifying');
    await submit('verify-2');
    expect((await post('verify-2', 'verify')).status).toBe(409);
  });

  it('asks for a rollback, and shows its proof once it is done', async () => {
    await submit('rollback-1');
    expect((await post('rollback-1', 'rollback', { mode: 'snapshot' })).json.errors).toEqual([
      { path: 'mode', message: 'is not supported yet, use tombstone' },
    ]);
    const asked = await post('rollback-1', 'rollback', { mode: 'tombstone' });
    expect([asked.status, asked.json.status]).toEqual([202, 'rolling_back']);
    expect((await post('rollback-1', 'rollback', { mode: 'tombstone' })).status).toBe(202);
    await environment.sql.query(`select analytics.tombstone_batch('rollback-1')`);
    const done = await post('rollback-1', 'rollback', { mode: 'tombstone' });
    expect([done.status, done.json.status]).toEqual([200, 'rolled_back']);
    expect(done.json.rollback).toMatchObject({ mode: 'tombstone', live_rows_after: 0, keys_after: 0 });
    expect((await post('rollback-1', 'halt')).status).toBe(409);
  });

  it('writes the actor of every change into the audit log', async () => {
    await submit('audit-1');
    await post('audit-1', 'halt');
    const { rows } = await environment.sql.query(
      `select actor, detail ->> 'to' as "to" from analytics.backfill_audit_log where batch_id = 'audit-1' order by audit_id`,
    );
    expect(rows).toEqual([{ actor: 'operator', to: 'halted' }]);
  });
});

it('dispatches what was submitted', async () => {
  await submit('dispatch-1');
  await waitFor('the plan job to be sent', async () => {
    const sent = await count(
      'select count(*) from analytics.backfill_outbox where batch_id = $1 and dispatched_at is not null',
      'dispatch-1',
    );
    return sent === 1 ? sent : undefined;
  });
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
    '/v1/batches/{batch_id}/halt',
    '/v1/batches/{batch_id}/progress',
    '/v1/batches/{batch_id}/publish',
    '/v1/batches/{batch_id}/report.csv',
    '/v1/batches/{batch_id}/report.json',
    '/v1/batches/{batch_id}/resume',
    '/v1/batches/{batch_id}/rollback',
    '/v1/batches/{batch_id}/verify',
    '/v1/events/{event_id}',
    '/v1/freezes',
  ]);
});
