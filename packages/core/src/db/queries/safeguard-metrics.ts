import type { Queryable } from '../pool.ts';

/** Entries of the audit log that wait for their seal, and the age of the oldest in seconds; 0 when there is none. */
export async function readUnsealedAudit(db: Queryable): Promise<{ entries: number; seconds: number }> {
  const { rows } = await db.query<{ entries: number; seconds: number }>(
    `select count(*) as entries,
            coalesce(extract(epoch from greatest(clock_timestamp() - min(at), '0')), 0)::float8 as seconds
       from analytics.backfill_audit_log where chain_no is null`,
  );
  return rows[0] ?? { entries: 0, seconds: 0 };
}

/** People who are to be forgotten. */
export interface ErasureCounts {
  open: number;
  /** Ended with something left. */
  incomplete: number;
  /** The age of the oldest open one, since its clear id was submitted last. */
  seconds: number;
}

/** How far erasures are. */
export async function readErasureCounts(db: Queryable): Promise<ErasureCounts> {
  const { rows } = await db.query<ErasureCounts>(
    `select count(*) filter (where ended_at is null) as open,
            count(*) filter (where outcome = 'incomplete') as incomplete,
            coalesce(extract(epoch from greatest(now() - min(submitted_at) filter (where ended_at is null), '0')), 0)
              ::float8 as seconds
       from analytics.backfill_erasures`,
  );
  return rows[0] ?? { open: 0, incomplete: 0, seconds: 0 };
}

/** Incidents that are not closed, by their kind, and how many of them are past the date of their post-mortem. */
export async function listOpenIncidentCounts(
  db: Queryable,
): Promise<{ kind: string; incidents: number; overdue: number }[]> {
  const { rows } = await db.query<{ kind: string; incidents: number; overdue: number }>(
    `select kind, count(*) as incidents, count(*) filter (where post_mortem_due < now()) as overdue
       from analytics.backfill_incidents where closed_at is null group by kind`,
  );
  return rows;
}

/** Rollbacks whose keys, in another database, are not freed yet. */
export async function countKeyReleases(db: Queryable): Promise<number> {
  const { rows } = await db.query<{ releases: number }>(
    'select count(*) as releases from analytics.backfill_rollbacks where keys_freed is null',
  );
  return rows[0]?.releases ?? 0;
}
