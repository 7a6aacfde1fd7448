import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ACCESS_WINDOW, accessLine, accessLog } from '../support/access-log.ts';
import { KEY_LAYOUTS } from '../support/environment.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';

describe.each(KEY_LAYOUTS)('dedup store %s', (layout) => {
  let pipeline: Pipeline;
  beforeAll(async () => {
    pipeline = await startPipeline({ importers: 2, layout, env: { TRANSFORMER_PART_LINES: '500' } });
  });
  afterAll(() => pipeline.dispose());

  async function run(batchId: string, files: Record<string, string>) {
    await pipeline.upload(batchId, files);
    await pipeline.submit({ batchId, source: 'web-access', window: ACCESS_WINDOW });
    return pipeline.rest(batchId);
  }

  const kinds = async (batchId: string) =>
    Object.fromEntries(
      (
        await pipeline.sql.query<{ kind: string; n: number }>(
          `select coalesce(duplicate_kind, 'new') as kind, count(*)::int as n
           from analytics.events_backfill_staging where batch_id = $1 group by 1`,
          [batchId],
        )
      ).rows.map((row) => [row.kind, row.n]),
    );

  it('stops a batch whose own repeats are over the threshold, with the numbers, and lets it pass under another', async () => {
    const logs = { 'a.log': accessLog(0, 998), 'b.log': `${accessLine(3)}\n${accessLine(4)}\n` };
    const stopped = await run('repeats', logs);
    expect([stopped.status, stopped.status_reason]).toEqual([
      'gates_failed',
      'duplicates: 0.002 observed, 0.001 allowed',
    ]);
    expect(await kinds('repeats')).toEqual({ new: 998, same_batch: 2 });
    await pipeline.change('repeats', 'gates_failed', 'rolling_back');
    await pipeline.rest('repeats', ['rolled_back']);

    await pipeline.config.editPolicy((policy) => {
      policy.gates.sources = { 'web-access': { duplicate_ratio: 0.01 } };
    });
    const passed = await run('relaxed', logs);
    expect(passed.status).toBe('awaiting_publish_approval');
    await pipeline.change('relaxed', 'awaiting_publish_approval', 'publishing');
    await pipeline.rest('relaxed', ['published']);
  });

  it('fails a second submission of the same file on overlap, and changes nothing', async () => {
    const log = accessLog(0, 998);
    const before = await pipeline.sql.query(
      'select event_id, batch_id, deleted_at from analytics.events_log order by 1',
    );
    const again = await run('again', { 'a.log': log });
    expect(again.status).toBe('gates_failed');
    expect(again.status_reason).toMatch('overlap: 1 observed, 0.001 allowed');
    expect(await kinds('again')).toEqual({ other_batch: 998 });
    const after = await pipeline.sql.query(
      'select event_id, batch_id, deleted_at from analytics.events_log order by 1',
    );
    expect(after.rows).toEqual(before.rows);
  });

  it('tells live deliveries apart, before the import and between verification and publish', async () => {
    const source = accessLog(10_000, 12_000);
    await run('probe', { 'a.log': source });
    const { rows } = await pipeline.sql.query<{ event_id: string }>(
      `select event_id from analytics.events_backfill_staging where batch_id = 'probe' order by event_id limit 3`,
    );
    const live = (ids: string[]) =>
      pipeline.sql.query(
        `insert into analytics.events (event_id, source, event_name, schema_version, event_ts, session_id, subject_id, payload)
       select event_id, source, event_name, schema_version, event_ts, session_id, subject_id, payload
         from analytics.events_backfill_staging where batch_id = 'probe' and event_id = any ($1)
       on conflict do nothing`,
        [ids],
      );
    const [first, second, third] = rows.map((row) => row.event_id);
    await live([first ?? '']);
    await pipeline.change('probe', 'awaiting_publish_approval', 'rolling_back');
    await pipeline.rest('probe', ['rolled_back']);

    expect((await run('late', { 'a.log': source })).status).toBe('awaiting_publish_approval');
    expect(await kinds('late')).toEqual({ new: 1_999, live: 1 });
    await live([second ?? '']);
    await pipeline.change('late', 'awaiting_publish_approval', 'publishing');
    const published = await pipeline.rest('late', ['published']);
    expect(published.row_count).toBe(1_998);
    const owners = await pipeline.sql.query(
      'select event_id, batch_id from analytics.events where event_id = any ($1) order by 1',
      [[first, second, third]],
    );
    expect(owners.rows.map((row) => row.batch_id)).toEqual([null, null, 'late']);
    const losers = await pipeline.sql.query(
      `select event_id from analytics.backfill_losers where loser_batch_id = 'late' and winner_batch_id is null order by 1`,
    );
    expect(losers.rows.map((row) => row.event_id)).toEqual([first, second]);
  });

  it('sends a signed batch back to its gates when too much of it has become live', async () => {
    expect((await run('overtaken', { 'a.log': accessLog(30_000, 30_100) })).status).toBe('awaiting_publish_approval');
    await pipeline.sql.query(
      `insert into analytics.events (event_id, source, event_name, schema_version, event_ts, session_id, subject_id, payload)
     select event_id, source, event_name, schema_version, event_ts, session_id, subject_id, payload
       from analytics.events_backfill_staging where batch_id = 'overtaken' limit 50`,
    );
    await pipeline.change('overtaken', 'awaiting_publish_approval', 'publishing');
    const failed = await pipeline.rest('overtaken', ['gates_failed']);
    expect(failed.status_reason).toMatch('overlap: 0.5 observed');
    const { rows } = await pipeline.sql.query(
      `select count(*)::int as n from analytics.events_log where batch_id = 'overtaken'`,
    );
    expect(rows).toEqual([{ n: 0 }]);
  });

  it('lets two batches with the same events in opposite order through at once: each event has one owner', async () => {
    const lines = accessLog(40_000, 44_000).trimEnd().split('\n');
    const opposite = lines.toReversed();
    const half = (all: string[]) => ({
      'a.log': `${all.slice(0, 2_000).join('\n')}\n`,
      'b.log': `${all.slice(2_000).join('\n')}\n`,
    });
    await Promise.all([run('forwards', half(lines)), run('backwards', half(opposite))]);
    const { rows } = await pipeline.sql.query(
      `select count(*)::int as staged, count(*) filter (where not is_duplicate)::int as new,
            count(distinct event_id)::int as events, count(*) filter (where duplicate_kind = 'same_batch')::int as repeats
       from analytics.events_backfill_staging where batch_id in ('forwards', 'backwards')`,
    );
    expect(rows).toEqual([{ staged: 8_000, new: 4_000, events: 4_000, repeats: 0 }]);
  });
});
