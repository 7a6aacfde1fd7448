import type { Queryable } from '../pool.ts';

export interface OutboxEntry {
  jobId: string;
  queue: string;
  kind: string;
  batchId: string;
  payload: object;
  whenStatus: readonly string[];
}

/** Writes work down. An entry whose job id is there already stays as it is. */
export async function insertOutboxEntries(db: Queryable, entries: readonly OutboxEntry[]): Promise<void> {
  if (entries.length === 0) return;
  await db.query(
    `insert into analytics.backfill_outbox (job_id, queue, kind, batch_id, payload, when_status)
     select e ->> 'jobId', e ->> 'queue', e ->> 'kind', e ->> 'batchId', e -> 'payload',
            array(select jsonb_array_elements_text(e -> 'whenStatus'))
       from jsonb_array_elements($1::jsonb) with ordinality as given (e, position)
      order by position
     on conflict (job_id) do nothing`,
    [JSON.stringify(entries)],
  );
}
