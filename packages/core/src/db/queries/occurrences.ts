import type { Queryable } from '../pool.ts';

/**
 * Makes the session's temporary tables in which events are numbered: sorted by the database, so that memory stays
 * bounded here whatever a file repeats. Must come before the session forbids itself to write.
 */
export async function createOccurrenceTables(db: Queryable): Promise<void> {
  await db.query(
    `create temporary table file_events (file_no integer not null, event_key uuid not null, line_no bigint not null);
     create temporary table occurrences (file_no integer, line_no bigint, occurrence bigint not null,
                                         primary key (file_no, line_no))`,
  );
}

export const FILE_EVENTS_COPY = 'copy pg_temp.file_events (file_no, event_key, line_no) from stdin';

/** Numbers the session's events within each file, in the order of its lines, and keeps the second ones and further. */
export async function numberFileEvents(db: Queryable): Promise<void> {
  await db.query(
    `insert into pg_temp.occurrences (file_no, line_no, occurrence)
     select file_no, line_no, occurrence
       from (select file_no, line_no, row_number() over (partition by file_no, event_key order by line_no) as occurrence
               from pg_temp.file_events) numbered
      where occurrence >= 2`,
  );
}

/** Stores the session's numbers as those of a batch, whose files must be there. */
export async function storeOccurrences(db: Queryable, batchId: string): Promise<void> {
  await db.query(
    `insert into analytics.backfill_occurrences (batch_id, file_no, line_no, occurrence)
     select $1, file_no, line_no, occurrence from pg_temp.occurrences`,
    [batchId],
  );
}

/** Both inclusive. */
export interface LineSpan {
  firstLine: number;
  lastLine: number;
}

/** Line → number of its event within the file; a line that is missing holds the first of its kind. */
export type Occurrences = ReadonlyMap<number, number>;

/** The numbers that the session has worked out. */
export async function listSessionOccurrences(db: Queryable, fileNo: number, lines: LineSpan): Promise<Occurrences> {
  const { rows } = await db.query<{ line_no: number; occurrence: number }>(
    `select line_no, occurrence from pg_temp.occurrences where file_no = $1 and line_no between $2 and $3`,
    [fileNo, lines.firstLine, lines.lastLine],
  );
  return new Map(rows.map(({ line_no, occurrence }) => [line_no, occurrence]));
}

/** The numbers that a batch's plan has pinned. */
export async function listBatchOccurrences(
  db: Queryable,
  batchId: string,
  fileNo: number,
  lines: LineSpan,
): Promise<Occurrences> {
  const { rows } = await db.query<{ line_no: number; occurrence: number }>(
    `select line_no, occurrence from analytics.backfill_occurrences
      where batch_id = $1 and file_no = $2 and line_no between $3 and $4`,
    [batchId, fileNo, lines.firstLine, lines.lastLine],
  );
  return new Map(rows.map(({ line_no, occurrence }) => [line_no, occurrence]));
}
