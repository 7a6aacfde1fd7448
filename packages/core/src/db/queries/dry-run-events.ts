import type { Queryable } from '../pool.ts';

/** Event ids that are sent to the dedup store at once. */
const IDS_PER_LOOK = 50_000;

/** Makes the session's temporary tables: of the events that a dry run has seen, and of those that others own. */
export async function createDryRunEvents(db: Queryable): Promise<void> {
  await db.query(
    `create temporary table dry_run_events (event_id text collate "C" not null, event_ts timestamptz(3) not null);
     create temporary table dry_run_owned (event_id text collate "C" primary key, batch_id text not null)`,
  );
}

export const DRY_RUN_EVENTS_COPY = 'copy pg_temp.dry_run_events (event_id, event_ts) from stdin';

/** What an import of the events would find, were it to happen now. */
export interface DryRunDuplicates {
  inserted: number;
  same_batch: number;
  other_batch: number;
  live: number;
}

interface OwnedEvent {
  event_id: string;
  batch_id: string;
}

async function listOwned(keys: Queryable, batchId: string, eventIds: readonly string[]): Promise<OwnedEvent[]> {
  const { rows } = await keys.query<OwnedEvent>(
    `select event_id, batch_id from analytics.backfill_event_checkpoint
      where event_id in (select string_to_table($1, e'\\n')) and batch_id <> $2`,
    [eventIds.join('\n'), batchId],
  );
  return rows;
}

/**
 * Notes which of the events another batch owns.
 *
 * @param keys the database of the dedup store: this one or another
 */
export async function noteOwnedEvents(db: Queryable, keys: Queryable, batchId: string): Promise<void> {
  await db.query('begin');
  await db.query(
    `declare dry_run_ids no scroll cursor for select distinct event_id from pg_temp.dry_run_events order by event_id`,
  );
  for (;;) {
    const { rows } = await db.query<{ event_id: string }>(`fetch ${IDS_PER_LOOK} from dry_run_ids`);
    if (rows.length === 0) break;
    const owned = await listOwned(
      keys,
      batchId,
      rows.map((row) => row.event_id),
    );
    await db.query(
      `insert into pg_temp.dry_run_owned (event_id, batch_id)
       select event_id, batch_id from jsonb_to_recordset($1::jsonb) as o (event_id text, batch_id text)`,
      [JSON.stringify(owned)],
    );
  }
  await db.query('commit');
}

/** A batch that has some of the events of a dry run. */
export interface DryRunOwner {
  batch_id: string;
  /** Rows of the dry run that are duplicates of it. */
  events: number;
}

/** Each event of the temporary table once, with who has it. The batch's own rows are no one's duplicates. */
const JUDGED = `
  with event as (
    select event_id, event_ts, count(*) as copies from pg_temp.dry_run_events group by event_id, event_ts
  ), judged as (
    select e.copies,
           case
             when case when l.event_id is not null and l.batch_id is null then b.replaces_live
                       else h.replaced_by is not null or h.batch_id = b.replaces_batch_id end then null
             when l.event_id is not null then case when l.batch_id is null then 'live' else 'other_batch' end
             when owner.event_id is not null then 'other_batch'
           end as kind,
           case when l.event_id is not null then l.batch_id else owner.batch_id end as owner
      from event e
      left join analytics.events_log l on l.event_id = e.event_id and l.event_ts = e.event_ts
                                      and l.deleted_at is null and l.batch_id is distinct from $1
      left join pg_temp.dry_run_owned owner on owner.event_id = e.event_id
      left join analytics.backfill_batches b on b.batch_id = $1
      left join analytics.backfill_batches h
             on h.batch_id = case when l.event_id is not null then l.batch_id else owner.batch_id end
  )`;

/** Judges the events of the temporary table as an import would: see duplicate-kind.ts. */
export async function judgeDryRunEvents(db: Queryable, batchId: string): Promise<DryRunDuplicates> {
  await db.query('analyze pg_temp.dry_run_events, pg_temp.dry_run_owned');
  const { rows } = await db.query<DryRunDuplicates>(
    `${JUDGED}
     select count(*) filter (where kind is null) as inserted,
            coalesce(sum(copies - 1) filter (where kind is null), 0) as same_batch,
            coalesce(sum(copies) filter (where kind = 'other_batch'), 0) as other_batch,
            coalesce(sum(copies) filter (where kind = 'live'), 0) as live
       from judged`,
    [batchId],
  );
  return rows[0] ?? { inserted: 0, same_batch: 0, other_batch: 0, live: 0 };
}

/** Which batches have the events of the temporary table that count as `other_batch`. */
export async function listDryRunOwners(db: Queryable, batchId: string): Promise<DryRunOwner[]> {
  const { rows } = await db.query<DryRunOwner>(
    `${JUDGED}
     select owner as batch_id, sum(copies) as events from judged where kind = 'other_batch' group by owner order by owner`,
    [batchId],
  );
  return rows;
}
