import { terminateStoppedWork } from '@backfill/core/db/queries/batch-fence';
import { bookImportTime } from '@backfill/core/db/queries/import-pace';
import { listSentOutboxEntries } from '@backfill/core/db/queries/outbox-dispatch';
import { claimRecount } from '@backfill/core/db/queries/recounts';
import { listSuppressedSubjects } from '@backfill/core/db/queries/suppression-list';
import { withTransaction } from '@backfill/core/db/transaction';
import { findAuditProblems } from '@backfill/core/runtime/check-audit';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startApi, type TestApi } from '../support/api.ts';
import { createApiBatches, RUN_ROLES } from '../support/api-batches.ts';

// The clock has been set back by a day: what was written before stands in the future.
let api: TestApi;
let batches: ReturnType<typeof createApiBatches>;
beforeAll(async () => {
  api = await startApi();
  batches = createApiBatches(api);
});
afterAll(() => api?.dispose());

const AHEAD = `clock_timestamp() + interval '1 day'`;

it('lets the last decision of a role stand', async () => {
  await batches.planned('decided');
  const give = (decision: string) =>
    withTransaction(api.context.pool, 'data_privacy_officer', (client) =>
      client.query(
        `insert into analytics.backfill_approvals (batch_id, attempt, stage, role, actor, decision, bound_hash, approved_at)
       values ('decided', 1, 'run', 'data_privacy_officer', 'data_privacy_officer', $1, 'plan-1', ${AHEAD})`,
        [decision],
      ),
    );
  await give('approve');
  await give('reject');
  const [first, last] = RUN_ROLES;
  expect((await batches.approve('decided', last ?? '')).json.missing_approvals).toMatchObject({ run: [first] });
  const { json } = await batches.approve('decided', first ?? '');
  expect(json).toMatchObject({ status: 'preparing', missing_approvals: { run: [] } });
  expect((json.approvals as { counts: boolean }[]).map(({ counts }) => counts)).toEqual([false, false, true, true]);
});

it('seals and verifies entries in the order in which they came', async () => {
  await api.sql.query(
    `insert into analytics.backfill_audit_log (at, actor, action) values (${AHEAD}, 'test', 'later'), (now(), 'test', 'now')`,
  );
  await api.context.sealer.seal();
  const { rows } = await api.sql.query(
    `select action from analytics.backfill_audit_log where actor = 'test' and action in ('later', 'now') order by chain_no`,
  );
  expect(rows).toEqual([{ action: 'later' }, { action: 'now' }]);
  const { pool, store, config } = api.context;
  expect(await findAuditProblems(pool, store, config.storage.archiveBucket, config.auditKey)).toEqual([]);
});

it('keeps people suppressed who were', async () => {
  await api.sql.query(
    `insert into analytics.privacy_suppressions (subject_id, reason, effective_from)
     values ('now', 'objection', now()), ('planned', 'from next year', now() + interval '1 year')`,
  );
  await api.sql.query(
    `alter table analytics.privacy_suppressions disable trigger privacy_suppressions_note_time;
     update analytics.privacy_suppressions
        set effective_from = effective_from + interval '1 day', recorded_at = recorded_at + interval '1 day';
     alter table analytics.privacy_suppressions enable trigger privacy_suppressions_note_time`,
  );
  expect(await listSuppressedSubjects(api.context.pool)).toEqual(['now']);
});

it('ends the work of a batch that was stopped', async () => {
  await batches.submit('stopped');
  const worker = new pg.Client({ connectionString: api.env.DATABASE_URL });
  worker.on('error', () => undefined);
  const ended = new Promise<void>((resolve) => worker.on('end', () => resolve()));
  await worker.connect();
  await worker.query('begin');
  const { rows } = await worker.query<{ key: number }>(
    `select pg_advisory_xact_lock_shared(7403113, batch_no::int) from analytics.backfill_batches where batch_id = 'stopped'`,
  );
  expect(rows).toHaveLength(1);
  await api.sql.query(`update analytics.backfill_batches set status = 'halted' where batch_id = 'stopped'`);
  await withTransaction(api.context.pool, 'test', (client) =>
    client.query(`update analytics.backfill_batches set updated_at = ${AHEAD} where batch_id = 'stopped'`),
  );
  // The API's dispatcher may have been there first.
  await terminateStoppedWork(api.context.pool);
  await ended;
});

it('looks after jobs that were sent', async () => {
  await batches.submit('sent');
  await api.sql.query(`update analytics.backfill_outbox set dispatched_at = ${AHEAD} where batch_id = 'sent'`);
  expect(await listSentOutboxEntries(api.context.pool, 'raw-chunks', 5_000)).toContainEqual(
    expect.stringMatching(/^plan_/),
  );
});

it('takes the work over of who has died', async () => {
  await batches.submit('claimed');
  await api.sql.query(
    `insert into analytics.backfill_files
       (batch_id, file_no, source_file, size, etag, last_modified, sha256, content_sha256, compression, line_count,
        format, header)
     values ('claimed', 0, 'a', 1, 'e', now(), 's', 's', 'none', 1, 'ndjson', 'null')`,
  );
  const file = { batchId: 'claimed', fileNo: 0 };
  const claim = (number: number) => ({ claim: `00000000-0000-0000-0000-00000000000${number}`, epoch: 1 });
  expect(await claimRecount(api.context.pool, file, claim(1))).toBe(true);
  expect(await claimRecount(api.context.pool, file, claim(2))).toBe(false);
  await api.sql.query(`update analytics.backfill_recounts set heartbeat_at = ${AHEAD} where batch_id = 'claimed'`);
  expect(await claimRecount(api.context.pool, file, claim(2))).toBe(true);
});

it('imports on at the rate that the policy gives', async () => {
  await batches.submit('paced');
  const part = { batch_id: 'paced', event_count: 1_000 };
  const book = () => bookImportTime(api.context.pool, part, 10);
  await book();
  await expect(book()).rejects.toThrow('may stage 10 events a second');
  await api.sql.query(`update analytics.backfill_import_pace set next_at = ${AHEAD} where batch_id = 'paced'`);
  await book();
  await expect(book()).rejects.toThrow('may stage 10 events a second');
});

it('writes who is suppressed, and who has a token, into the audit log without telling whom, or what the token is', async () => {
  await api.addToken('secret-token', { actor: 'nora', roles: ['viewer'] });
  await api.sql.query(
    `insert into analytics.privacy_suppressions (subject_id, reason) values ('p1', 'of Jane Doe'), ('p2', 'objection')`,
  );
  await api.sql.query(`delete from analytics.privacy_suppressions where subject_id = 'p1'`);
  const { rows } = await api.sql.query<{ action: string; detail: object }>(
    `select action, detail from analytics.backfill_audit_log
      where action = 'suppressions' or action = 'token' and detail ->> 'actor' = 'nora' order by audit_id desc limit 3`,
  );
  expect(rows.reverse()).toEqual([
    {
      action: 'token',
      detail: { actor: 'nora', roles: ['viewer'], expires_at: null, revoked_at: null, token_id: expect.any(Number) },
    },
    { action: 'suppressions', detail: { change: 'insert', subjects: 2 } },
    { action: 'suppressions', detail: { change: 'delete', subjects: 1 } },
  ]);
});
