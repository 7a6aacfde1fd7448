import { archiveLayout, CSV_REPORT } from '@backfill/core/storage/layout';
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

it('lists batches newest first, page by page', async () => {
  for (const id of ['page-1', 'page-2', 'page-3']) await batches.submit(id);
  const first = await api.call('GET', '/v1/batches?limit=2&status=submitted', 'viewer');
  const ids = (answer: typeof first) => (answer.json.batches as { batch_id: string }[]).map((batch) => batch.batch_id);
  expect(ids(first)).toEqual(['page-3', 'page-2']);
  await batches.submit('page-4');
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

it('refuses to be asked for a part of the freezes', async () => {
  expect((await api.call('GET', '/v1/freezes?source=app', 'viewer')).status).toBe(422);
  expect((await api.call('GET', '/v1/freezes', 'viewer')).status).toBe(200);
});

it.each([
  '/v1/batches/none',
  "/v1/batches/x'; drop table y",
  '/v1/batches/none/report.csv',
  '/v1/batches/none/report.html',
  '/v1/events/none',
  '/v1/no',
])('does not find %s', async (path) => {
  const { status, json } = await api.call('GET', path, 'viewer');
  expect([status, json.type]).toEqual([404, 'urn:backfill:problem:not-found']);
});

it('counts the balance from the ledger: imported parts only, by file and in sum', async () => {
  await batches.planned('balance-1');
  await api.sql.query(
    `insert into analytics.backfill_files
       (batch_id, file_no, source_file, size, etag, last_modified, sha256, content_sha256, compression, format, header,
        line_count, copy_size, copy_sha256)
     values ('balance-1', 0, 'a.ndjson', 10, 'e', now(), 's', 's', 'none', 'ndjson', 'null', 20, null, null),
            ('balance-1', 1, 'b.ndjson', 10, 'e', now(), 's', 's', 'none', 'ndjson', 'null', 5, 7, 'c')`,
  );
  await api.sql.query(
    `insert into analytics.backfill_raw_chunks (batch_id, chunk_no, file_no, byte_start, byte_end, first_line, line_count, state)
     values ('balance-1', 0, 0, 0, 10, 1, 20, 'done'), ('balance-1', 1, 1, 0, 10, 1, 5, 'open')`,
  );
  await api.sql.query(
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
      { source_file: 'a.ndjson', lines: 20, balance: imported, copy: null },
      { source_file: 'b.ndjson', lines: 5, balance: nothing, copy: { size: 7, sha256: 'c' } },
    ],
  });
});

it('shows the gates of the last verification', async () => {
  await batches.verified('gates-1');
  await api.sql.query(
    `insert into analytics.backfill_gate_results (batch_id, attempt, run_no, gate, threshold, observed, passed, procedure)
     values ('gates-1', 1, 1, 'balance', 0, 3, false, 'p'), ('gates-1', 1, 2, 'balance', 0, 0, true, 'p'),
            ('gates-1', 2, 3, 'balance', 0, 9, false, 'p')`,
  );
  const { json } = await api.call('GET', '/v1/batches/gates-1', 'viewer');
  expect(json.gates).toMatchObject([{ gate: 'balance', threshold: 0, observed: 0, passed: true }]);
});

it('serves the reports from the archive', async () => {
  await batches.submit('report-1');
  const { store } = api.context;
  const { archiveBucket } = api.context.config.storage;
  await store.put(archiveBucket, archiveLayout.report('report-1', CSV_REPORT), Buffer.from('day,rows\n'), 'text/csv');
  await store.put(archiveBucket, archiveLayout.report('report-1', 'report.json'), Buffer.from('{"a":1}'), 'text/json');
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
  await batches.submit('trace-1');
  const payload = '{"event_name":"x"}';
  const { rows } = await api.sql.query<{ event_id: string }>(
    `select analytics.event_id('app', '2026-11-01T10:00:00.123Z', $1::json) as event_id`,
    [payload],
  );
  const eventId = rows[0]?.event_id ?? '';
  const trace = () => api.call('GET', `/v1/events/${encodeURIComponent(eventId)}`, 'viewer');
  expect((await trace()).status).toBe(404);
  await api.sql.query(
    `insert into analytics.backfill_lineage (batch_id, event_id, source_file, line_no) values ('trace-1', $1, 'a.log', 7)`,
    [eventId],
  );
  await api.sql.query(`insert into analytics.backfill_event_checkpoint (event_id, batch_id) values ($1, 'trace-1')`, [
    eventId,
  ]);
  expect((await trace()).json).toMatchObject({ owner: 'trace-1', state: 'staged', source_file: 'a.log', line_no: 7 });
  await api.sql.query(
    `insert into analytics.events_log (event_id, source, event_name, schema_version, event_ts, payload, batch_id)
     values ($1, 'app', 'x', '1-0-0', '2026-11-01T10:00:00.123Z', $2, null)`,
    [eventId, payload],
  );
  await api.sql.query(
    `insert into analytics.backfill_files (batch_id, file_no, source_file, size, etag, last_modified, sha256, compression, format, header, content_sha256, line_count)
     values ('trace-1', 0, 'a.log', 900, '', now(), 'abc', 'none', 'ndjson', 'null', '', 20)`,
  );
  await api.sql.query(
    `insert into analytics.backfill_raw_chunks (batch_id, chunk_no, file_no, byte_start, byte_end, first_line, line_count)
     values ('trace-1', 0, 0, 0, 300, 1, 5), ('trace-1', 1, 0, 300, 900, 6, 15)`,
  );
  await api.sql.query(
    `insert into analytics.backfill_losers (loser_batch_id, event_id, winner_batch_id) values ('trace-1', $1, null)`,
    [eventId],
  );
  await api.sql.query(
    `insert into analytics.backfill_handovers (from_batch_id, from_attempt, event_id, to_batch_id, is_suppressed)
     values ('trace-1', 1, $1, null, false)`,
    [eventId],
  );
  expect((await trace()).json).toMatchObject({
    ...{ owner: null, owner_kind: 'live', state: 'live', line_no: 7, schema_version: '1-0-0', approvals: [] },
    lines: [{ byte_start: 300, byte_end: 900, first_line: 6, raw_sha256: 'abc', mirror_sha256: 'abc', part_key: null }],
    losers: [{ batch_id: 'trace-1', winner_batch_id: null, withheld: false }],
    handovers: [{ from_batch_id: 'trace-1', to_batch_id: null, is_suppressed: false }],
  });
});

it('streams the batch at every change until it rests', async () => {
  await batches.submit('stream-1');
  const answer = await fetch(`${api.url}/v1/batches/stream-1/progress`, {
    headers: { authorization: 'Bearer viewer' },
  });
  expect(answer.headers.get('content-type')).toBe('text/event-stream');
  const chunks = (answer.body as ReadableStream<Uint8Array>)
    .pipeThrough(new TextDecoderStream())
    [Symbol.asyncIterator]();
  let text = (await chunks.next()).value as string;
  await batches.walk('stream-1', 'submitted', 'halted');
  for (let next = await chunks.next(); !next.done; next = await chunks.next()) text += next.value;
  const statuses = [...text.matchAll(/^data: (.*)$/gm)].map((match) => JSON.parse(match[1] ?? '').status);
  expect(statuses).toEqual(['submitted', 'halted']);

  // Who comes back goes on where they were, and is told when there is no more.
  const ids = [...text.matchAll(/^id: (.*)$/gm)].map((match) => match[1] ?? '');
  const comeBack = (lastEventId: string) =>
    fetch(`${api.url}/v1/batches/stream-1/progress`, {
      headers: { authorization: 'Bearer viewer', 'last-event-id': lastEventId },
    });
  const [first = '', last = ''] = ids;
  expect((await (await comeBack(first)).text()).match(/^id: .*$/gm)).toEqual([`id: ${last}`]);
  expect((await comeBack(last)).status).toBe(204);
  expect((await comeBack('x'.repeat(65))).status).toBe(422);
});

it('keeps an actor from following too many batches at once', async () => {
  await batches.submit('stream-2');
  const leaving = new AbortController();
  const follow = (token: string) =>
    fetch(`${api.url}/v1/batches/stream-2/progress`, {
      headers: { authorization: `Bearer ${token}` },
      signal: leaving.signal,
    });
  const answers = await Promise.all(Array.from({ length: 20 }, () => follow('submitter')));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  const refused = await follow('submitter');
  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  expect((await follow('operator')).status).toBe(200);
  leaving.abort();
  await waitFor('a stream to be free again', async () => {
    const controller = new AbortController();
    const { status } = await fetch(`${api.url}/v1/batches/stream-2/progress`, {
      headers: { authorization: 'Bearer submitter' },
      signal: controller.signal,
    });
    controller.abort();
    return status === 200 ? true : undefined;
  });
});
