import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessLog } from '../support/access-log.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';
import { runBatch } from '../support/run-batch.ts';

let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await startPipeline();
  await runBatch(pipeline, 'named', { 'a.log': accessLog(0, 10) });
});
afterAll(() => pipeline.dispose());

// As foreign keys would, but once per statement.
describe.each(['backfill_event_checkpoint_raw', 'backfill_lineage'])('%s', (table) => {
  it('takes no row of a batch that does not exist, nor any beside it', async () => {
    const insert = pipeline.sql.query(
      `insert into analytics.${table} (event_id, batch_id, source_file, line_no)
       values ('x', 'named', 'z.log', 1), ('x', 'nobody', 'z.log', 1)`,
    );
    await expect(insert).rejects.toMatchObject({ code: '23503' });
    const rename = pipeline.sql.query(`update analytics.${table} set batch_id = 'nobody' where batch_id = 'named'`);
    await expect(rename).rejects.toMatchObject({ code: '23503' });
    const { rowCount } = await pipeline.sql.query(`select 1 from analytics.${table} where source_file = 'z.log'`);
    expect(rowCount).toBe(0);
  });

  it('keeps its batch from being deleted or renamed', async () => {
    const remove = pipeline.sql.query(`delete from analytics.backfill_batches where batch_id = 'named'`);
    await expect(remove).rejects.toMatchObject({ code: '23503' });
    const rename = pipeline.sql.query(`update analytics.backfill_batches set batch_id = 'b' where batch_id = 'named'`);
    await expect(rename).rejects.toThrow();
  });
});
