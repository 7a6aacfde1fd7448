import { withTransaction } from '@backfill/core/db/transaction';
import { resumeBatch } from '@backfill/core/dispatch/resume-batch';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ACCESS_WINDOW, accessLog } from '../support/access-log.ts';
import { batchDigest } from '../support/digest.ts';
import { KEY_LAYOUTS } from '../support/environment.ts';
import { keysFreed } from '../support/keys-freed.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';
import { runPsqlScript } from '../support/psql.ts';

describe.each(KEY_LAYOUTS)('dedup store %s', (layout) => {
  let pipeline: Pipeline;
  beforeAll(async () => {
    pipeline = await startPipeline({ layout });
  });
  afterAll(() => pipeline.dispose());

  async function publish(batchId: string, files: Record<string, string>): Promise<void> {
    await pipeline.upload(batchId, files);
    await pipeline.submit({ batchId, source: 'web-access', window: ACCESS_WINDOW });
    await pipeline.rest(batchId, ['awaiting_publish_approval']);
    await pipeline.change(batchId, 'awaiting_publish_approval', 'publishing');
    await pipeline.rest(batchId, ['published']);
  }

  const resume = (batchId: string) =>
    withTransaction(pipeline.runtime.pool, 'test', (client) => resumeBatch(client, batchId));

  const liveRows = async (condition: string) =>
    (await pipeline.sql.query<{ n: number }>(`select count(*)::int as n from analytics.events where ${condition}`))
      .rows[0]?.n;

  const keysOf = async (batchId: string) =>
    (
      await pipeline.keys.query<{ n: number }>(
        'select count(*)::int as n from analytics.backfill_event_checkpoint where batch_id = $1',
        [batchId],
      )
    ).rows[0]?.n;

  it('takes a published batch back, and resuming it gives the same rows again', async () => {
    await publish('other', { 'a.log': accessLog(5_000, 5_040) });
    await publish('mine', { 'a.log': accessLog(0, 100), 'b.log': accessLog(100, 150) });
    const before = await batchDigest(pipeline.sql, 'mine', pipeline.keys);

    await pipeline.change('mine', 'published', 'rolling_back');
    await pipeline.rest('mine', ['rolled_back']);
    await keysFreed(pipeline, 'mine');
    expect(await liveRows(`batch_id = 'mine'`)).toBe(0);
    expect(await keysOf('mine')).toBe(0);
    expect(await keysOf('other')).toBe(40);
    expect(await liveRows(`batch_id = 'other'`)).toBe(40);
    const { rows: proof } = await pipeline.sql.query(
      `select mode, tombstoned::int, keys_freed::int, live_rows_after::int, keys_after::int
       from analytics.backfill_rollbacks where batch_id = 'mine'`,
    );
    expect(proof).toEqual([{ mode: 'tombstone', tombstoned: 150, keys_freed: 150, live_rows_after: 0, keys_after: 0 }]);

    expect(await resume('mine')).toBe('planning');
    await pipeline.rest('mine', ['awaiting_publish_approval']);
    await pipeline.change('mine', 'awaiting_publish_approval', 'publishing');
    await pipeline.rest('mine', ['published']);
    const after = await batchDigest(pipeline.sql, 'mine', pipeline.keys);
    // The gates of both attempts stay on record.
    expect({ ...after, gates: null }).toEqual({ ...before, gates: null });
    expect(after.live).toEqual([150, expect.any(String)]);
  });

  it('does the same from psql, repeatably, and refuses what it does not know', async () => {
    await publish('by-hand', { 'a.log': accessLog(9_000, 9_030) });
    const url = pipeline.env.DATABASE_URL ?? '';
    const script = 'backfill_apply_tombstones.sql';
    // Another database's keys are out of its reach, and stay for the services to free.
    const proof =
      layout === 'with the events'
        ? /by-hand +\| +1 \| +30 \| +30 \| +0 \| +0/
        : /by-hand +\| +1 \| +30 \| +\| +0 \| +\|/;
    expect(await runPsqlScript(url, script, { batch_id: 'by-hand' })).toMatch(proof);
    await keysFreed(pipeline, 'by-hand');
    expect(await runPsqlScript(url, script, { batch_id: 'by-hand' })).toMatch(
      /by-hand +\| +1 \| +30 \| +30 \| +0 \| +0/,
    );
    expect(await keysOf('by-hand')).toBe(0);
    expect(await liveRows(`batch_id = 'by-hand'`)).toBe(0);
    expect(await liveRows(`batch_id = 'other'`)).toBe(40);
    await expect(runPsqlScript(url, script, { batch_id: `x'; drop table y; --` })).rejects.toThrow(/unknown batch/);
    await expect(runPsqlScript(url, script)).rejects.toThrow(/batch_id is missing/);
    const { rows } = await pipeline.sql.query(
      `select actor from analytics.backfill_audit_log where batch_id = 'by-hand' and detail ->> 'to' = 'rolled_back'`,
    );
    expect(rows).toEqual([{ actor: 'sql:postgres' }]);
    const { rows: proofs } = await pipeline.sql.query(
      `select actor, action, detail -> 'keys_freed' as keys_freed from analytics.backfill_audit_log
        where batch_id = 'by-hand' and action like 'rollback%' order by audit_id`,
    );
    const proven = (keys: number | null) => ({ actor: 'sql:postgres', action: 'rollback', keys_freed: keys });
    expect(proofs).toEqual(
      layout === 'with the events'
        ? [proven(30)]
        : [proven(null), { actor: 'dedup-store', action: 'rollback_completed', keys_freed: 30 }],
    );
  });

  it('purges staged rows 24 hours after completion, and not before', async () => {
    await publish('old', { 'a.log': accessLog(20_000, 20_010) });
    const url = pipeline.env.DATABASE_URL ?? '';
    expect(await runPsqlScript(url, 'purge_staging.sql')).toMatch('(0 rows)');
    await withTransaction(pipeline.runtime.pool, 'test', (client) =>
      client.query(
        `update analytics.backfill_batches set completed_at = now() - interval '25 hours' where batch_id = 'old'`,
      ),
    );
    expect(await runPsqlScript(url, 'purge_staging.sql')).toMatch(/old\s+\|\s+10/);
    const { rows } = await pipeline.sql.query(
      `select (select count(*)::int from analytics.events_backfill_staging where batch_id = 'old') as staged,
            (select count(*)::int from analytics.events where batch_id = 'old') as live`,
    );
    expect(rows).toEqual([{ staged: 0, live: 10 }]);
  });
});
