import { randomBytes } from 'node:crypto';
import pg from 'pg';
import type { Queryable } from '../pool.ts';
import type { KeyDecision } from './key-decision.ts';

/** PostgreSQL: nothing is prepared under that name (any more), or another session is just finishing it. */
const FINISHED_ELSEWHERE = new Set(['42704', '55000']);

/** Whose keys a transaction changes. */
export interface KeyWork {
  batchId: string;
  /** 0 when it is not about one part. */
  partId: number;
  epoch: number;
}

/** A name to prepare a transaction under that was never used before: an aborted one must not come back. */
export function newGid({ batchId, partId, epoch }: KeyWork): string {
  return `bf_${batchId}_${partId}_${epoch}_${randomBytes(8).toString('hex')}`;
}

export interface PreparedKeys {
  gid: string;
  batch_id: string;
  /** Since it was prepared; below 0 when the clock was set back since. */
  age_seconds: number;
}

/** Transactions that are prepared in the database of the keys and not finished. */
export async function listPreparedKeys(db: Queryable): Promise<PreparedKeys[]> {
  const { rows } = await db.query<PreparedKeys>(
    `select gid, (regexp_match(gid, '^bf_(.+)_[0-9]+_[0-9]+_[0-9a-f]+$'))[1] as batch_id,
            extract(epoch from clock_timestamp() - prepared)::float8 as age_seconds
       from pg_prepared_xacts
      where database = current_database() and gid ~ '^bf_.+_[0-9]+_[0-9]+_[0-9a-f]+$'
      order by prepared`,
  );
  return rows;
}

/** Transactions that somebody else has prepared in this database, at least so many seconds ago; the oldest first. */
export async function listOtherPrepared(db: Queryable, olderThanSeconds: number): Promise<string[]> {
  const { rows } = await db.query<{ gid: string }>(
    `select gid from pg_prepared_xacts
      where database = current_database() and gid !~ '^bf_.+_[0-9]+_[0-9]+_[0-9a-f]+$'
        and prepared < clock_timestamp() - $1 * interval '1 second'
      order by prepared`,
    [olderThanSeconds],
  );
  return rows.map(({ gid }) => gid);
}

/** First phase: from here on the keys outlive the session, and wait for a decision. */
export async function prepareKeys(db: Queryable, gid: string): Promise<void> {
  await db.query(`prepare transaction ${pg.escapeLiteral(gid)}`);
}

/** Second phase. Whoever comes second finds nothing to do. */
export async function finishKeys(db: Queryable, gid: string, decision: KeyDecision): Promise<void> {
  const verb = decision === 'committed' ? 'commit' : 'rollback';
  try {
    await db.query(`${verb} prepared ${pg.escapeLiteral(gid)}`);
  } catch (error) {
    if (error instanceof pg.DatabaseError && FINISHED_ELSEWHERE.has(error.code ?? '')) return;
    throw error;
  }
}
