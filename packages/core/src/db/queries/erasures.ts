import type { Queryable } from '../pool.ts';

/** A person who is to be forgotten. */
export interface ErasureRow {
  erasure_id: number;
  requested_by: string;
  requested_at: Date;
  pseudonyms: string[];
  /** The last time that the clear id was submitted; to the microsecond as text. */
  submitted_at: Date;
  submission: string;
  /** All stored events were gone through for this submission, before anything was waited for. */
  is_stored_erased: boolean;
  /** Who searches by the clear id. */
  search: string | null;
  searched_at: Date | null;
  begun_at: Date | null;
  /** Batches that something works for; they are looked at when they rest. */
  waiting_for: string[];
  ended_at: Date | null;
  outcome: 'complete' | 'incomplete' | null;
  problems: string[];
}

export interface ErasureReceipt {
  store: string;
  /** Empty: of no batch in particular. */
  batch_id: string;
  rows: number;
  objects: number;
  first_at: Date;
  last_at: Date;
}

/** A search without a sign of life for so long is none any more. */
export const SEARCH_SILENT_FOR = '30 seconds';

/**
 * Suppresses a person and asks for their erasure; or asks again for the one that there is, which then looks at everything
 * once more. Waits for publishes and restores that hold suppressions back.
 *
 * @param search who holds the clear id, and is going to search by it
 */
export async function requestErasure(
  db: Queryable,
  { actor, pseudonyms, search }: { actor: string; pseudonyms: readonly string[]; search: string },
): Promise<{ erasure_id: number; is_new: boolean }> {
  // Before anything else: from the commit on nothing of the person is published or restored any more.
  await db.query(
    `insert into analytics.privacy_suppressions as p (subject_id, reason, effective_from)
     select subject_id, 'erasure', now() from unnest($1::text[]) as given (subject_id) order by subject_id
     on conflict (subject_id) do update
        set reason = excluded.reason, effective_from = least(p.effective_from, excluded.effective_from)
      where p.reason <> excluded.reason or p.effective_from > excluded.effective_from`,
    [pseudonyms],
  );
  // Two who ask at once would both find none.
  await db.query(`select pg_advisory_xact_lock(hashtextextended('analytics.backfill_erasures', 0))`);
  const { rows: known } = await db.query<{ erasure_id: number }>(
    `update analytics.backfill_erasures e
        set pseudonyms = array(select distinct p from unnest(e.pseudonyms || $1::text[]) as all_of (p) order by p),
            submitted_at = clock_timestamp(), search = $2, search_heartbeat_at = clock_timestamp(), searched_at = null,
            ended_at = null, outcome = null, problems = '[]', waiting_for = '{}'
      where e.erasure_id = (select min(erasure_id) from analytics.backfill_erasures where pseudonyms && $1::text[])
      returning erasure_id`,
    [pseudonyms, search],
  );
  if (known[0] !== undefined) return { erasure_id: Number(known[0].erasure_id), is_new: false };
  const { rows } = await db.query<{ erasure_id: number }>(
    `insert into analytics.backfill_erasures (requested_by, pseudonyms, search, search_heartbeat_at)
     values ($1, $2, $3, clock_timestamp()) returning erasure_id`,
    [actor, pseudonyms, search],
  );
  return { erasure_id: Number(rows[0]?.erasure_id), is_new: true };
}

/** Erasures that have not ended, the oldest first. */
export async function listOpenErasures(db: Queryable): Promise<number[]> {
  const { rows } = await db.query<{ erasure_id: string }>(
    `select e.erasure_id::text from analytics.backfill_erasures e where e.ended_at is null order by e.erasure_id limit 100`,
  );
  return rows.map(({ erasure_id }) => Number(erasure_id));
}

/** Begins an erasure, or goes on with one that was cut off. Undefined when it has ended. */
export async function beginErasure(db: Queryable, erasureId: number): Promise<ErasureRow | undefined> {
  const { rows } = await db.query<ErasureRow>(
    `update analytics.backfill_erasures set begun_at = coalesce(begun_at, clock_timestamp())
      where erasure_id = $1 and ended_at is null returning *, submitted_at::text as submission,
                coalesce(stored_erased_for = submitted_at, false) as is_stored_erased`,
    [erasureId],
  );
  return rows[0];
}

export async function getErasure(db: Queryable, erasureId: number): Promise<ErasureRow | undefined> {
  const { rows } = await db.query<ErasureRow>(
    `select *, submitted_at::text as submission, coalesce(stored_erased_for = submitted_at, false) as is_stored_erased
       from analytics.backfill_erasures where erasure_id = $1`,
    [erasureId],
  );
  return rows[0];
}

/** Notes that all stored events were gone through for a submission. */
export async function markStoredErased(
  db: Queryable,
  { erasure_id: erasureId, submission }: Pick<ErasureRow, 'erasure_id' | 'submission'>,
): Promise<void> {
  await db.query(`update analytics.backfill_erasures set stored_erased_for = $2::timestamptz where erasure_id = $1`, [
    erasureId,
    submission,
  ]);
}

/** Says which batches are waited for. */
export async function setErasureWaiting(db: Queryable, erasureId: number, batches: readonly string[]): Promise<void> {
  await db.query(
    `update analytics.backfill_erasures set waiting_for = $2 where erasure_id = $1 and waiting_for <> $2::text[]`,
    [erasureId, batches],
  );
}

/** Ends an erasure, unless it was submitted again meanwhile. */
export async function endErasure(
  db: Queryable,
  { erasure_id: erasureId, submission }: Pick<ErasureRow, 'erasure_id' | 'submission'>,
  problems: readonly string[],
): Promise<void> {
  const { rowCount } = await db.query(
    `update analytics.backfill_erasures
        set ended_at = clock_timestamp(), outcome = $3, problems = $4, waiting_for = '{}'
      where erasure_id = $1 and submitted_at = $2::timestamptz and ended_at is null`,
    [erasureId, submission, problems.length === 0 ? 'complete' : 'incomplete', JSON.stringify(problems)],
  );
  if (rowCount === 1)
    await db.query('delete from analytics.backfill_erasure_events where erasure_id = $1', [erasureId]);
}

/** Pseudonym → erasure, of everybody who is to be forgotten. */
export async function listForgottenPeople(db: Queryable): Promise<Map<string, number>> {
  const { rows } = await db.query<{ pseudonym: string; erasure_id: number }>(
    `select p as pseudonym, min(erasure_id) as erasure_id
       from analytics.backfill_erasures, unnest(pseudonyms) as p group by p`,
  );
  return new Map(rows.map(({ pseudonym, erasure_id }) => [pseudonym, Number(erasure_id)]));
}

/** Counts up a receipt. In the transaction that erases, where there is one. */
export async function countErased(
  db: Queryable,
  erasureId: number,
  store: string,
  { batchId = '', rows = 0, objects = 0 }: { batchId?: string; rows?: number; objects?: number },
): Promise<void> {
  if (rows === 0 && objects === 0) return;
  await db.query(
    `insert into analytics.backfill_erasure_receipts as r (erasure_id, store, batch_id, rows, objects)
     values ($1, $2, $3, $4, $5)
     on conflict (erasure_id, store, batch_id) do update
        set rows = r.rows + excluded.rows, objects = r.objects + excluded.objects, last_at = clock_timestamp()`,
    [erasureId, store, batchId, rows, objects],
  );
}

export async function listErasureReceipts(db: Queryable, erasureId: number): Promise<ErasureReceipt[]> {
  const { rows } = await db.query<ErasureReceipt>(
    `select store, batch_id, rows, objects, first_at, last_at from analytics.backfill_erasure_receipts
      where erasure_id = $1 order by batch_id, store`,
    [erasureId],
  );
  return rows;
}

/** A batch that an erasure has to look through. */
export interface ErasureBatch {
  batch_id: string;
  attempt: number;
  status: string;
  /** There is work for it, if only a report to be written. */
  has_work: boolean;
}

/**
 * Batches that were not looked through since the person was submitted, or where the clear id has found something since.
 * Those that have nothing of their input yet come without the person's lines when they are mirrored.
 */
export async function listBatchesToErase(db: Queryable, erasureId: number): Promise<ErasureBatch[]> {
  const { rows } = await db.query<ErasureBatch>(
    `select b.batch_id, b.attempt, b.status,
            exists (select 1 from analytics.backfill_outbox o where o.batch_id = b.batch_id) as has_work
       from analytics.backfill_erasures e
      cross join analytics.backfill_batches b
       left join analytics.backfill_erasure_batches m
              on m.erasure_id = e.erasure_id and m.batch_id = b.batch_id and m.attempt = b.attempt
      where e.erasure_id = $1
        and not (b.attempt = 1 and (b.status in ('submitted', 'planning', 'awaiting_run_approval')
                                    or coalesce(b.resume_status, '') in ('submitted', 'planning', 'awaiting_run_approval')))
        and (m.erased_at is null or m.erased_at < e.submitted_at
             or exists (select 1 from analytics.backfill_erasure_lines l
                         where l.erasure_id = e.erasure_id and l.batch_id = b.batch_id and l.attempt = b.attempt))
      order by b.batch_no`,
    [erasureId],
  );
  return rows;
}

/** Notes that a batch was looked through: by the pseudonyms, or by the clear id. */
export async function markErasureBatch(
  db: Queryable,
  erasureId: number,
  { batch_id: batchId, attempt }: Pick<ErasureBatch, 'batch_id' | 'attempt'>,
  by: 'erased_at' | 'searched_at',
): Promise<void> {
  await db.query(
    `insert into analytics.backfill_erasure_batches as m (erasure_id, batch_id, attempt, ${by})
     values ($1, $2, $3, clock_timestamp())
     on conflict (erasure_id, batch_id, attempt) do update set ${by} = excluded.${by}`,
    [erasureId, batchId, attempt],
  );
}

/** True while the process that holds the clear id searches by it. */
export async function isSearching(db: Queryable, erasureId: number): Promise<boolean> {
  const { rowCount } = await db.query(
    `select 1 from analytics.backfill_erasures
      where erasure_id = $1 and searched_at is null
        and search_heartbeat_at > clock_timestamp() - interval '${SEARCH_SILENT_FOR}'`,
    [erasureId],
  );
  return rowCount === 1;
}

/** Batches with a mirror that were not searched by the clear id since it was submitted. */
export async function listUnsearchedBatches(db: Queryable, erasureId: number): Promise<string[]> {
  const { rows } = await db.query<{ batch_id: string }>(
    `select b.batch_id
       from analytics.backfill_erasures e
      cross join analytics.backfill_batches b
      where e.erasure_id = $1
        and exists (select 1 from analytics.backfill_files f where f.batch_id = b.batch_id and f.mirrored_at is not null)
        and not exists (select 1 from analytics.backfill_deletions d
                         where d.kind = 'archive' and d.batch_id = b.batch_id and d.attempt = b.attempt)
        and not exists (select 1 from analytics.backfill_erasure_batches m
                         where m.erasure_id = e.erasure_id and m.batch_id = b.batch_id and m.attempt = b.attempt
                           and m.searched_at >= e.submitted_at)
      order by b.batch_no`,
    [erasureId],
  );
  return rows.map((row) => row.batch_id);
}

/** A sign of life of a search by the clear id. @returns false when it was submitted again, and is searched by another */
export async function renewSearch(db: Queryable, erasureId: number, search: string): Promise<boolean> {
  const { rowCount } = await db.query(
    `update analytics.backfill_erasures set search_heartbeat_at = clock_timestamp()
      where erasure_id = $1 and search = $2`,
    [erasureId, search],
  );
  return rowCount === 1;
}

/** Ends a search by the clear id: done, or given up. */
export async function endSearch(db: Queryable, erasureId: number, search: string, isDone: boolean): Promise<void> {
  await db.query(
    `update analytics.backfill_erasures
        set searched_at = case when $3 then clock_timestamp() end, search_heartbeat_at = null
      where erasure_id = $1 and search = $2`,
    [erasureId, search, isDone],
  );
}

/** Batches whose mirror is there to be searched by a clear id. */
export async function listMirroredBatches(db: Queryable): Promise<{ batch_id: string; attempt: number }[]> {
  const { rows } = await db.query<{ batch_id: string; attempt: number }>(
    `select b.batch_id, b.attempt from analytics.backfill_batches b
      where exists (select 1 from analytics.backfill_files f where f.batch_id = b.batch_id)
        and not exists (select 1 from analytics.backfill_files f where f.batch_id = b.batch_id and f.mirrored_at is null)
      order by b.batch_no`,
  );
  return rows;
}

/** Notes lines that the clear id was found in, unless they became events of somebody. @returns how many */
export async function noteClearLines(
  db: Queryable,
  erasureId: number,
  { batch_id: batchId, attempt }: Pick<ErasureBatch, 'batch_id' | 'attempt'>,
  { fileNo, lines }: { fileNo: number; lines: readonly number[] },
): Promise<number> {
  const { rowCount } = await db.query(
    `insert into analytics.backfill_erasure_lines (erasure_id, batch_id, attempt, file_no, line_no)
     select $1, $2, $3, f.file_no, l.line_no
       from analytics.backfill_files f cross join unnest($5::bigint[]) as l (line_no)
      where f.batch_id = $2 and f.file_no = $4
        and not exists (select 1 from analytics.backfill_event_checkpoint_raw r
                         where r.batch_id = f.batch_id and r.source_file = f.source_file and r.line_no = l.line_no)
     on conflict do nothing`,
    [erasureId, batchId, attempt, fileNo, lines],
  );
  return rowCount ?? 0;
}
