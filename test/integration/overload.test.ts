import { afterAll, beforeAll, expect, it } from 'vitest';
import { accessLog } from '../support/access-log.ts';
import { batchDigest } from '../support/digest.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';
import { runBatch } from '../support/run-batch.ts';

let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await startPipeline({ importers: 2 });
});
afterAll(() => pipeline.dispose());

/** What PostgreSQL answers when it has too much to do. */
const OVERLOADED = ['57014', '55P03', '53300', '53200', '40P01', '40001'];

it('puts work off while the database is overloaded, more often than an unknown error is tried again', async () => {
  const files = { 'a.log': accessLog(0, 2_500) };
  await runBatch(pipeline, 'smooth', files);
  const undisturbed = await batchDigest(pipeline.sql, 'smooth');
  await pipeline.change('smooth', 'awaiting_publish_approval', 'rolling_back');
  await pipeline.rest('smooth', ['rolled_back']);

  // Each answer in turn, all to the one part of the canary; a sequence forgets no transaction.
  await pipeline.sql.query(
    `create sequence public.refusals;
     create function public.refuse() returns trigger language plpgsql as $$
     declare n bigint := nextval('public.refusals');
     begin
       if n <= ${OVERLOADED.length} then
         raise exception 'too much to do' using errcode = ('{${OVERLOADED.join(',')}}'::text[])[1 + n % ${OVERLOADED.length}];
       end if;
       return null;
     end $$;
     create trigger refuse before insert on analytics.backfill_event_checkpoint for each statement execute function public.refuse();`,
  );
  const batch = await runBatch(pipeline, 'bumpy', files);
  expect([batch.status, batch.status_reason]).toEqual(['awaiting_publish_approval', null]);
  const { rows } = await pipeline.sql.query('select last_value::int as refusals from public.refusals');
  expect(rows[0].refusals).toBeGreaterThan(OVERLOADED.length);
  expect(await batchDigest(pipeline.sql, 'bumpy')).toEqual(undisturbed);
}, 180_000);
