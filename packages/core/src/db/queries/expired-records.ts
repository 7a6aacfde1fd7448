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
type LineTable = 'backfill_lineage' | 'backfill_event_checkpoint_raw';

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

/** Deletes records of who lost to whom, at most so many, of events with lesser ids, that name the batch on either side. */
export async function deleteExpiredLosers(
  db: Client,
  batchId: string,
  { idBound, keep, limit }: { idBound: string; keep: readonly string[]; limit: number },
): Promise<number> {
  const { rowCount } = await db.query(
    `delete from analytics.backfill_losers where ctid = any (array(
       select ctid from analytics.backfill_losers
        where (loser_batch_id = $1 or winner_batch_id = $1) and event_id < $2 and loser_batch_id <> all ($3)
          and (winner_batch_id is null or winner_batch_id <> all ($3))
        limit $4))`,
    [batchId, idBound, keep, limit],
  );
  return rowCount ?? 0;
}

/** How many records of a batch would go, of all kinds together, each counted up to a limit. */
export async function countExpiredRecords(
  db: Queryable,
  batchId: string,
  { idBound, keep, limit }: { idBound: string; keep: readonly string[]; limit: number },
): Promise<number> {
  const { rows } = await db.query<{ rows: number }>(
    `select (select count(*) from (select from analytics.backfill_lineage
                                    where batch_id = $1 and event_id < $2 limit $4) as lineage)
          + (select count(*) from (select from analytics.backfill_event_checkpoint_raw
                                    where batch_id = $1 and event_id < $2 limit $4) as lines)
          + (select count(*) from (select from analytics.backfill_losers
                                    where (loser_batch_id = $1 or winner_batch_id = $1) and event_id < $2
                                      and loser_batch_id <> all ($3)
                                      and (winner_batch_id is null or winner_batch_id <> all ($3)) limit $4) as losers)
            as rows`,
    [batchId, idBound, keep, limit],
  );
  return rows[0]?.rows ?? 0;
}
