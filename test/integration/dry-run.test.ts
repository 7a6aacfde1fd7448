import { withTransaction } from '@backfill/core/db/transaction';
import type { DryRun } from '@backfill/core/transform/dry-run';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { APP_WINDOW, appLogs } from '../support/app-logs.ts';
import { runCommandLine } from '../support/command-line.ts';
import { KEY_LAYOUTS } from '../support/environment.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';

// Each call of the command line is a process of its own, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 180_000 });

const LOGS = appLogs(60);

describe.each(KEY_LAYOUTS)('dedup store %s', (layout) => {
  let pipeline: Pipeline;
  beforeAll(async () => {
    pipeline = await startPipeline({ layout, env: { TRANSFORMER_PART_LINES: '50' } });
  });
  afterAll(() => pipeline.dispose());

  async function dryRun(batchId: string): Promise<DryRun> {
    const args = ['transform', '--dry-run', '--batch-id', batchId, '--json'];
    const { code, stdout, stderr } = await runCommandLine(args, pipeline.env);
    expect([code, stderr]).toEqual([0, '']);
    return JSON.parse(stdout) as DryRun;
  }

  /**
   * Rows of every table of the schema, and the last change of any, but for the seals of the audit log, which come later, and
   * the runs of the retention, which come by themselves.
   */
  async function contents(): Promise<unknown> {
    const { rows: tables } = await pipeline.sql.query<{ name: string }>(
      `select format('%I.%I', schemaname, tablename) as name from pg_tables 
        where schemaname = 'analytics' and tablename <> 'backfill_audit_chain'
          and tablename !~ '^backfill_retention_' order by 1`,
    );
    const digests: Record<string, unknown> = {};
    for (const { name } of tables) {
      const { rows } = await pipeline.sql.query(
        `select count(*)::int, md5(string_agg(row, '' order by row)) as digest
           from (select (to_jsonb(t) - 'chain_no' - 'mac')::text as row from ${name} t) r`,
      );
      digests[name] = rows[0];
    }
    return digests;
  }

  async function balanceOf(batchId: string) {
    const { rows } = await pipeline.sql.query(
      `select sum(line_count)::int as read, sum(inserted)::int as inserted,
            sum(duplicate_same_batch + duplicate_other_batch + duplicate_live)::int as duplicate,
            sum(suppressed)::int as suppressed, sum(expired)::int as expired, sum(filtered)::int as filtered,
            sum(quarantined)::int as quarantined
       from analytics.backfill_import_parts where batch_id = $1`,
      [batchId],
    );
    return rows[0];
  }

  it('foretells a batch in full, before and after its plan, and stores nothing', async () => {
    await pipeline.config.editPolicy((policy) => {
      policy.approvals.run = ['product_owner'];
    });
    await pipeline.upload('b1', LOGS);
    await pipeline.submit({ batchId: 'b1', source: 'app', window: APP_WINDOW });
    await pipeline.rest('b1', ['awaiting_run_approval']);
    const before = await contents();
    const planned = await dryRun('b1');
    expect(await contents()).toEqual(before);
    expect(planned).toMatchObject({ read_from: 'input', recipe: 'pinned', duplicates: { other_batch: 0, live: 0 } });

    await pipeline.change('b1', 'awaiting_run_approval', 'preparing');
    await pipeline.rest('b1', ['awaiting_publish_approval', 'gates_failed']);
    expect(planned.balance).toEqual(await balanceOf('b1'));
    expect(planned.balance.duplicate).toBeGreaterThan(0);
    expect(planned.balance.inserted).toBeGreaterThan(100);

    // The batch's own rows and keys do not make its events duplicates.
    const mirrored = await dryRun('b1');
    expect(mirrored).toEqual({ ...planned, read_from: 'mirror' });

    const { rows: days } = await pipeline.sql.query(
      `select event_name, (event_ts at time zone 'UTC')::date::text as day, count(*)::int as events
       from analytics.events_backfill_staging where batch_id = 'b1' group by 1, 2 order by 1, 2`,
    );
    expect(planned.summary.events).toEqual(days);
    const { rows: quarantine } = await pipeline.sql.query(
      `select reason, source_file, line_no::int from analytics.backfill_quarantine where batch_id = 'b1' order by 1, 2, 3`,
    );
    expect(
      planned.summary.quarantine.flatMap(({ reason, places }) => places.map((place) => ({ reason, ...place }))),
    ).toEqual(quarantine);
    expect(quarantine.length).toBeGreaterThan(1);
    expect(planned.summary.pii_hits).toContainEqual({
      ...{ field: expect.stringMatching(/query$/), detector: 'email', hits: expect.any(Number) },
    });
  });

  it('counts what another batch has as overlap, and prints all of it for a person', async () => {
    await pipeline.upload('b2', LOGS);
    await withTransaction(pipeline.runtime.pool, 'test', (client) =>
      client.query(
        `insert into analytics.backfill_batches
         (batch_id, source, reason, input, window_start, window_end, request, request_sha256, submitted_by)
       select 'b2', source, reason, replace(input, '/b1/', '/b2/'), window_start, window_end, '{}', '', 'test'
         from analytics.backfill_batches where batch_id = 'b1'`,
      ),
    );
    const { code, stdout } = await runCommandLine(['transform', '--dry-run', '--batch-id', 'b2'], pipeline.env);
    expect(code).toBe(0);
    expect(stdout).toMatch(/Dry run of b2 \(app\)/);
    expect(stdout).toMatch(/every line is accounted for/);
    expect(stdout).toMatch(/inserted +0\n/);
    expect(stdout).toMatch(/duplicates: 0 same_batch, [1-9]\d+ other_batch, 0 live/);
    expect(stdout).toMatch(/page_viewed +2026-11-01 +[1-9]/);
    expect(stdout).toMatch(/parse: \S+ +\d+ +a\.ndjson:21 a\.ndjson:22/);
  });

  it('knows no batch that was not submitted', async () => {
    const { code, stderr } = await runCommandLine(['transform', '--dry-run', '--batch-id', 'unknown'], pipeline.env);
    expect([code, stderr]).toEqual([1, 'there is no batch unknown: submit it first\n']);
  });
});
