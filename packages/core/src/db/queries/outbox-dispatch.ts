import type { Queryable } from '../pool.ts';

export interface DueEntry {
  outbox_id: number;
  job_id: string;
  kind: string;
  payload: unknown;
}

/**
 * The next entries of a queue that may be sent, at most so many, and no more than `window` of the queue under way at
 * once: the backlog waits here, not in Redis. Batches take turns, so that a large one does not starve a small one: an
 * entry's turn is how many of its batch are under way or come before it.
 */
export async function listDueOutboxEntries(
  db: Queryable,
  queue: string,
  { window, most }: { window: number; most: number },
): Promise<DueEntry[]> {
  const { rows } = await db.query<DueEntry>(
    `with under_way as (
       select batch_id, count(*) as jobs from analytics.backfill_outbox
        where queue = $1 and dispatched_at is not null group by batch_id
     ), due as (
       select o.outbox_id, o.job_id, o.kind, o.payload,
              row_number() over (partition by o.batch_id order by o.outbox_id) + coalesce(u.jobs, 0) as turn
         from analytics.backfill_outbox o join analytics.backfill_batches b using (batch_id)
         left join under_way u using (batch_id)
        where o.queue = $1 and o.dispatched_at is null and b.status = any (o.when_status)
     )
     select outbox_id, job_id, kind, payload from due
      order by turn, outbox_id
      limit (select greatest(0, least($3, $2 - coalesce(sum(jobs), 0))) from under_way)`,
    [queue, window, most],
  );
  return rows;
}

/** Notes that these entries are in Redis now. Rows that somebody is just changing are passed over: sent twice is harmless. */
export async function markOutboxDispatched(db: Queryable, outboxIds: readonly number[]): Promise<void> {
  await db.query(
    `update analytics.backfill_outbox set dispatched_at = now() where outbox_id in (
       select outbox_id from analytics.backfill_outbox where outbox_id = any ($1) for update skip locked)`,
    [outboxIds],
  );
}

/** Job ids of a queue that were sent at least `olderThanMs` ago, or before the clock went back, and are not finished. */
export async function listSentOutboxEntries(db: Queryable, queue: string, olderThanMs: number): Promise<string[]> {
  const { rows } = await db.query<{ job_id: string }>(
    `select job_id from analytics.backfill_outbox
      where queue = $1 and (dispatched_at < now() - $2 * interval '1 millisecond' or dispatched_at > now())
      order by dispatched_at limit 5000`,
    [queue, olderThanMs],
  );
  return rows.map((row) => row.job_id);
}

/** Has these entries sent again. */
export async function resetOutboxEntries(db: Queryable, jobIds: readonly string[]): Promise<void> {
  await db.query(
    `update analytics.backfill_outbox set dispatched_at = null where outbox_id in (
       select outbox_id from analytics.backfill_outbox where job_id = any ($1) for update skip locked)`,
    [jobIds],
  );
}
