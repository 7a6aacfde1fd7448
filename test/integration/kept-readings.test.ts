import { archiveLayout } from '@backfill/core/storage/layout';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventLine, WINDOW } from '../support/app-events.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';

// The second reading is made beside the import and kept: what is kept must be as good as what is read anew.
let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await startPipeline();
  await pipeline.config.editPolicy((policy) => {
    Object.assign(policy.gates.default, { duplicate_ratio: 1, max_overlap: 1, schema: 1 });
  });
});
afterAll(() => pipeline.dispose());

const FILE = 'a.ndjson';

async function run(batchId: string, first: number): Promise<void> {
  const lines = Array.from({ length: 30 }, (_, at) => eventLine(first + at));
  await pipeline.upload(batchId, { [FILE]: lines.map((line) => `${line}\n`).join('') });
  await pipeline.submit({ batchId, source: 'app', window: WINDOW });
  await pipeline.rest(batchId, ['awaiting_publish_approval']);
}

async function verify(batchId: string) {
  await pipeline.change(batchId, 'awaiting_publish_approval', 'verifying');
  const batch = await pipeline.rest(batchId, ['awaiting_publish_approval', 'gates_failed']);
  const { rows } = await pipeline.sql.query<{ gate: string }>(
    `select gate from analytics.backfill_gate_results r
      where batch_id = $1 and not passed
        and run_no = (select max(run_no) from analytics.backfill_gate_results where batch_id = $1) order by gate`,
    [batchId],
  );
  return { status: batch.status, failed: rows.map(({ gate }) => gate) };
}

async function kept(batchId: string): Promise<{ result: string; seal: string }[]> {
  const { rows } = await pipeline.sql.query<{ result: string; seal: string }>(
    'select result, seal from analytics.backfill_recounts where batch_id = $1 order by file_no',
    [batchId],
  );
  return rows;
}

/** Takes the last event out of every table, and books its line as filtered. */
async function dropLastEvent(batchId: string): Promise<void> {
  const client = await pipeline.sql.connect();
  try {
    await client.query('begin; set local session_replication_role = replica');
    await client.query(
      `with victim as (
         select s.event_id, s.part_id, l.source_file, l.line_no
           from analytics.events_backfill_staging s join analytics.backfill_lineage l using (batch_id, event_id)
          where s.batch_id = $1 order by s.event_id desc limit 1),
        staged as (delete from analytics.events_backfill_staging s using victim v
                    where s.batch_id = $1 and s.event_id = v.event_id),
        traced as (delete from analytics.backfill_lineage l using victim v
                    where l.batch_id = $1 and l.line_no = v.line_no),
        accepted as (delete from analytics.backfill_event_checkpoint_raw r using victim v
                      where r.batch_id = $1 and r.line_no = v.line_no)
       update analytics.backfill_import_parts p
          set event_count = event_count - 1, inserted = inserted - 1, filtered = filtered + 1
         from victim v where p.part_id = v.part_id`,
      [batchId],
    );
    await client.query('commit');
  } finally {
    client.release();
  }
}

describe('a reading that is kept', () => {
  it('serves the next verification, and shows a row that is gone by then', async () => {
    await run('kept', 0);
    const [first] = await kept('kept');
    expect(JSON.parse(first?.result ?? '')).toMatchObject({ lines: 30, outcomes: { accepted: 30 } });
    expect(await verify('kept')).toEqual({ status: 'awaiting_publish_approval', failed: [] });
    expect(await kept('kept')).toEqual([first]);
    await dropLastEvent('kept');
    expect(await verify('kept')).toEqual({ status: 'gates_failed', failed: ['recount'] });
  });

  it('is not believed when it was not sealed with the key', async () => {
    await run('forged', 100);
    // What somebody with the database would write to hide a row that is gone: the reading of a batch without it.
    await pipeline.upload('forger', {
      [FILE]: Array.from({ length: 29 }, (_, at) => `${eventLine(100 + at)}\n`).join(''),
    });
    await pipeline.submit({ batchId: 'forger', source: 'app', window: WINDOW });
    await pipeline.rest('forger', ['awaiting_publish_approval']);
    const [genuine] = await kept('forged');
    const [other] = await kept('forger');
    const forged = { ...JSON.parse(genuine?.result ?? ''), digest: JSON.parse(other?.result ?? '').digest };
    await dropLastEvent('forged');
    await pipeline.sql.query('update analytics.backfill_recounts set result = $2 where batch_id = $1', [
      'forged',
      JSON.stringify(forged),
    ]);
    expect(await verify('forged')).toEqual({ status: 'gates_failed', failed: ['recount'] });
    expect(await kept('forged')).toEqual([genuine]);
  });

  it('does not hide that the mirror was changed since', async () => {
    await run('changed', 200);
    const { store, config } = pipeline.runtime;
    const lines = Array.from({ length: 30 }, (_, at) => `${eventLine(200 + at)}\n`.replace('{', ' '));
    await store.put(
      config.storage.archiveBucket,
      archiveLayout.mirrorObject('changed', FILE),
      Buffer.from(lines.join('')),
      'text/plain',
    );
    expect((await verify('changed')).failed).toContain('balance');
  });

  it('is made by another when whoever was at it has died', async () => {
    await run('orphaned', 300);
    await pipeline.sql.query(
      `update analytics.backfill_recounts
          set result = null, seal = null, claimed_by = gen_random_uuid(), heartbeat_at = now() - interval '8 seconds'
        where batch_id = 'orphaned'`,
    );
    expect(await verify('orphaned')).toEqual({ status: 'awaiting_publish_approval', failed: [] });
    expect(await kept('orphaned')).toMatchObject([{ result: expect.stringContaining('"lines":30') }]);
  });

  it('is made anew after a halt, without waiting for who was at it before', async () => {
    await run('halted', 400);
    await pipeline.sql.query(
      `update analytics.backfill_recounts
          set result = null, seal = null, claimed_by = gen_random_uuid(), epoch = 0, heartbeat_at = now() + interval '1 day'
        where batch_id = 'halted'`,
    );
    expect(await verify('halted')).toEqual({ status: 'awaiting_publish_approval', failed: [] });
  });
});
