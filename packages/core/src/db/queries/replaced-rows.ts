import type { Replaces } from '../../domain/replacement.ts';
import type { ReplacementChange } from '../../domain/replacement-change.ts';
import type { Queryable } from '../pool.ts';

/** Whose events a publish takes out of sight, and where. */
export interface ReplacedSpan {
  source: string;
  /** ms since 1970. */
  startMs: number;
  endMs: number;
  replaces: Replaces | undefined;
}

/**
 * Whether a stored event (`e`) is one that the publish replaces. The parameters say whether it replaces anything, the batch
 * (null for live ingestion), and the window.
 */
export const isReplaced = (replaces: string, target: string, start: string, end: string) =>
  `(${replaces}::boolean and e.batch_id is not distinct from ${target}
      and e.event_ts >= ${start}::timestamptz and e.event_ts < ${end}::timestamptz)`;

/** The parameters of {@link isReplaced}, in its order. */
export function replacedValues({ replaces, startMs, endMs }: ReplacedSpan): [boolean, string | null, Date, Date] {
  const target = replaces !== undefined && 'batch_id' in replaces ? replaces.batch_id : null;
  return [replaces !== undefined, target, new Date(startMs), new Date(endMs)];
}

/** What is to be replaced, by its number and a sum of hashes of its ids. */
export interface ReplacedRows {
  rows: number;
  fingerprint: string;
  /** When they were counted, by the database's clock. */
  at: Date;
}

const REPLACED = `e.source = $1 and e.deleted_at is null and ${isReplaced('$2', '$3', '$4', '$5')}`;

/** As `analytics.replace_rows` finds it. Parameters: source, and those of {@link isReplaced}. */
export const REPLACED_ROWS_SQL = `
  select statement_timestamp() as at, count(*) as rows,
         count(*) || ':' || coalesce(sum(hashtextextended(e.event_id, 0)), 0) as fingerprint
    from analytics.events_log e where ${REPLACED}`;

/** Counts what the publish would replace as things stand. */
export async function countReplacedRows(db: Queryable, span: ReplacedSpan): Promise<ReplacedRows> {
  const { rows } = await db.query<ReplacedRows>(REPLACED_ROWS_SQL, [span.source, ...replacedValues(span)]);
  return rows[0] as ReplacedRows;
}

/**
 * Compares what a publish replaces with the rows to publish, by type and UTC day. Events with the same id are identical. Of
 * the others, those of the same time, type and session are paired off as changed; what is left of either side is gone or
 * added. Parameters: source, those of {@link isReplaced}, and the batch.
 */
export const REPLACEMENT_CHANGES_SQL = `
  with old as (
    select event_id, event_name, event_ts, session_id from analytics.events_log e where ${REPLACED}
  ), new as (
    select event_id, event_name, event_ts, session_id from analytics.backfill_rows_to_publish where batch_id = $6
  ), paired as (
    select coalesce(o.event_name, n.event_name) as event_name, coalesce(o.event_ts, n.event_ts) as event_ts,
           coalesce(o.session_id, n.session_id) as session_id,
           count(o.event_id) as replaced, count(n.event_id) as proposed,
           count(*) filter (where o.event_id = n.event_id) as identical
      from old o full join new n on n.event_id = o.event_id
     group by 1, 2, 3
  )
  select event_name, (event_ts at time zone 'UTC')::date::text as day,
         sum(replaced)::bigint as replaced, sum(proposed)::bigint as proposed, sum(identical)::bigint as identical,
         sum(least(replaced, proposed) - identical)::bigint as changed,
         sum(greatest(proposed - replaced, 0))::bigint as added,
         sum(greatest(replaced - proposed, 0))::bigint as gone
    from paired group by 1, 2 order by 1, 2`;

/** What changes for readers against what is replaced. */
export async function listReplacementChanges(
  db: Queryable,
  batchId: string,
  span: ReplacedSpan,
): Promise<ReplacementChange[]> {
  const values = [span.source, ...replacedValues(span), batchId];
  const { rows } = await db.query<ReplacementChange>(REPLACEMENT_CHANGES_SQL, values);
  return rows;
}
