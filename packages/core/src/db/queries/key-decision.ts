import type { Queryable } from '../pool.ts';

/** What becomes of keys that are prepared. */
export type KeyDecision = 'committed' | 'aborted';

/**
 * Decides for the commit, once the transaction commits. Until then the row keeps everybody from deciding otherwise. A
 * process that freezes from here on loses its transaction after 10 s.
 */
export async function insertCommitDecision(db: Queryable, gid: string): Promise<void> {
  await db.query(
    `insert into analytics.backfill_key_decisions (gid, decision) values ($1, 'committed')
     returning set_config('idle_in_transaction_session_timeout', '10s', true)`,
    [gid],
  );
}

/**
 * What was decided about prepared keys. Where nothing was, they are aborted: whoever prepared them has written its
 * decision before, so that it is gone now if the row is not there. Waits for a transaction that holds its row
 * uncommitted.
 */
export async function decideKeys(db: Queryable, gid: string): Promise<KeyDecision> {
  await db.query(
    `insert into analytics.backfill_key_decisions (gid, decision) values ($1, 'aborted') on conflict do nothing`,
    [gid],
  );
  const { rows } = await db.query<{ decision: KeyDecision }>(
    'select decision from analytics.backfill_key_decisions where gid = $1',
    [gid],
  );
  if (rows[0] === undefined) throw new Error('a decision is gone');
  return rows[0].decision;
}

/**
 * Forgets decisions of more than a day ago.
 *
 * @param open what is still prepared
 */
export async function deleteOldDecisions(db: Queryable, open: readonly string[]): Promise<void> {
  await db.query(
    `delete from analytics.backfill_key_decisions
      where decided_at < now() - interval '1 day' and gid <> all ($1)`,
    [open],
  );
}
