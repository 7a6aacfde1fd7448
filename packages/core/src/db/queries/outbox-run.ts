import type { Queryable } from '../pool.ts';

interface OutboxRun {
  outbox_id: number;
  lost: number;
  request_id: string | null;
}

/**
 * Notes that a run of the job begins.
 *
 * @returns the entry's number, how many runs before this one were cut off one after the other without getting the work on
 *   (`lost`), and the request that the work goes back to; undefined when nobody has written the job down
 */
export async function beginOutboxRun(db: Queryable, jobId: string): Promise<OutboxRun | undefined> {
  const { rows } = await db.query<OutboxRun>(
    `with work as (
       select o.outbox_id,
              (select count(*) from analytics.backfill_import_parts p
                where p.chunk_id = (o.payload ->> 'chunk_id')::bigint)
              + (select count(f.mirrored_at) from analytics.backfill_files f where f.batch_id = o.batch_id) as progress
         from analytics.backfill_outbox o where o.job_id = $1
     )
     update analytics.backfill_outbox o
        set runs_begun = case when o.run_progress = w.progress then o.runs_begun + 1 else 1 end,
            run_progress = w.progress
       from work w where w.outbox_id = o.outbox_id
     returning o.outbox_id, o.runs_begun - 1 as lost, o.request_id`,
    [jobId],
  );
  return rows[0];
}

/** Notes that a run of the job ended, and its process lives to tell. */
export async function endOutboxRun(db: Queryable, jobId: string): Promise<void> {
  await db.query('update analytics.backfill_outbox set runs_begun = 0 where job_id = $1', [jobId]);
}
