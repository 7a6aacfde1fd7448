import type { Client, Queryable } from '../pool.ts';

/** A line of a batch that was looked at; lines are walked through in the order of their key. */
export interface LinePlace {
  source_file: string;
  line_no: number;
}

export interface LinePage {
  deleted: number;
  /** Null when there are no more lines. */
  last: LinePlace | null;
}

/** What is kept of a batch line by line, under the same key. */
export const LINE_TABLES = ['backfill_lineage', 'backfill_event_checkpoint_raw'] as const;
export type LineTable = (typeof LINE_TABLES)[number];

/** Walks on through a batch's lines in a table, and deletes those of events with lesser ids. */
export async function deleteExpiredLines(
  db: Client,
  table: LineTable,
  batchId: string,
  { after, idBound, lines }: { after: LinePlace; idBound: string; lines: number },
): Promise<LinePage> {
  const { rows } = await db.query<LinePlace>(
    `select source_file, line_no from (
       select source_file, line_no from analytics.${table}
        where batch_id = $1 and (source_file, line_no) > ($2, $3) order by source_file, line_no limit $4) as page
      order by source_file desc, line_no desc limit 1`,
    [batchId, after.source_file, after.line_no, lines],
  );
  const [last] = rows;
  if (last === undefined) return { deleted: 0, last: null };
  // By the ends of the page and not by its lines: a join of both may read all lines there are.
  const { rowCount } = await db.query(
    `delete from analytics.${table}
      where batch_id = $1 and (source_file, line_no) > ($2, $3) and (source_file, line_no) <= ($4, $5)
        and event_id < $6`,
    [batchId, after.source_file, after.line_no, last.source_file, last.line_no, idBound],
  );
  return { deleted: rowCount ?? 0, last };
}

/** Which records of a batch are of events that are gone. */
export interface ExpiredRecords {
  /** Events with lesser ids, in byte order. */
  idBound: string;
  /** What these batches are named in stays. */
  keep: readonly string[];
  /** Records, at most. */
  limit: number;
}

/**
 * Records by event that name a batch: who lost to whom, what a rollback handed over, and deliveries of live ingestion that
 * came second to an event of its window. $1 batch, $2 id bound, $3 batches to keep.
 */
const RECORDS = {
  backfill_losers: `(loser_batch_id = $1 or winner_batch_id = $1) and event_id < $2 and loser_batch_id <> all ($3)
                    and (winner_batch_id is null or winner_batch_id <> all ($3))`,
  backfill_handovers: `(from_batch_id = $1 or to_batch_id = $1) and event_id < $2 and from_batch_id <> all ($3)
                       and (to_batch_id is null or to_batch_id <> all ($3))`,
  // An id begins with source and day.
  backfill_live_losses: `event_id < $2 and $1 <> all ($3)
                         and event_id >= (select source || ':' || to_char(window_start at time zone 'UTC', 'YYYYMMDD')
                                            from analytics.backfill_batches where batch_id = $1)`,
} as const;

export type RecordTable = keyof typeof RECORDS;
export const RECORD_TABLES = Object.keys(RECORDS) as RecordTable[];

/** Deletes records by event, at most so many, of events with lesser ids. */
export async function deleteExpiredRecords(
  db: Client,
  table: RecordTable,
  batchId: string,
  { idBound, keep, limit }: ExpiredRecords,
): Promise<number> {
  const { rowCount } = await db.query(
    `delete from analytics.${table} where ctid = any (array(
       select ctid from analytics.${table} where ${RECORDS[table]} limit $4))`,
    [batchId, idBound, keep, limit],
  );
  return rowCount ?? 0;
}

/** How many records of a batch would go, of all kinds together, each counted up to a limit. */
export async function countExpiredRecords(
  db: Queryable,
  batchId: string,
  { idBound, keep, limit }: ExpiredRecords,
): Promise<number> {
  const lines = (table: LineTable) =>
    `(select count(*) from (select from analytics.${table} where batch_id = $1 and event_id < $2 limit $4) as lines)`;
  const records = (table: RecordTable) =>
    `(select count(*) from (select from analytics.${table} where ${RECORDS[table]} limit $4) as records)`;
  const { rows } = await db.query<{ rows: number }>(
    `select ${[...LINE_TABLES.map(lines), ...RECORD_TABLES.map(records)].join(' + ')} as rows`,
    [batchId, idBound, keep, limit],
  );
  return rows[0]?.rows ?? 0;
}
