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

interface PageRow {
  deleted: number;
  source_file: string | null;
  line_no: number | null;
}

function pageOf(row: PageRow | undefined): LinePage {
  if (row?.source_file == null || row.line_no === null) return { deleted: row?.deleted ?? 0, last: null };
  return { deleted: row.deleted, last: { source_file: row.source_file, line_no: row.line_no } };
}

/** Walks on through a batch's lineage, and deletes what is of events with lesser ids. */
export async function deleteExpiredLineage(
  db: Client,
  batchId: string,
  page: { after: LinePlace; idBound: string; lines: number },
): Promise<LinePage> {
  const { rows } = await db.query<PageRow>(
    `with page as (
       select source_file, line_no, event_id from analytics.backfill_lineage
        where batch_id = $1 and (source_file, line_no) > ($2, $3) order by source_file, line_no limit $5
     ), gone as (
       delete from analytics.backfill_lineage l using page p
        where l.batch_id = $1 and l.source_file = p.source_file and l.line_no = p.line_no and p.event_id < $4
       returning 1
     )
     select (select count(*) from gone) as deleted, p.source_file, p.line_no
       from (values (true)) as once (found)
       left join lateral (select * from page order by source_file desc, line_no desc limit 1) p on true`,
    [batchId, page.after.source_file, page.after.line_no, page.idBound, page.lines],
  );
  return pageOf(rows[0]);
}

/** Walks on through a batch's accepted lines, and deletes those of events with lesser ids. */
export async function deleteExpiredLines(
  db: Client,
  batchId: string,
  page: { after: LinePlace; idBound: string; lines: number },
): Promise<LinePage> {
  const { rows } = await db.query<PageRow>(
    `with page as (
       select source_file, line_no, event_id from analytics.backfill_event_checkpoint_raw
        where batch_id = $1 and (source_file, line_no) > ($2, $3) order by source_file, line_no limit $5
     ), gone as (
       delete from analytics.backfill_event_checkpoint_raw l using page p
        where l.batch_id = $1 and l.source_file = p.source_file and l.line_no = p.line_no and p.event_id < $4
       returning 1
     )
     select (select count(*) from gone) as deleted, p.source_file, p.line_no
       from (values (true)) as once (found)
       left join lateral (select * from page order by source_file desc, line_no desc limit 1) p on true`,
    [batchId, page.after.source_file, page.after.line_no, page.idBound, page.lines],
  );
  return pageOf(rows[0]);
}

/** Deletes records of who lost to whom, at most so many, of events with lesser ids, that name the batch on either side. */
export async function deleteExpiredLosers(
  db: Client,
  batchId: string,
  { idBound, keep, limit }: { idBound: string; keep: readonly string[]; limit: number },
): Promise<number> {
  const { rowCount } = await db.query(
    `delete from analytics.backfill_losers where (loser_batch_id, event_id) in (
       select loser_batch_id, event_id from analytics.backfill_losers
        where (loser_batch_id = $1 or winner_batch_id = $1) and event_id < $2 and loser_batch_id <> all ($3)
          and (winner_batch_id is null or winner_batch_id <> all ($3))
        limit $4)`,
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
