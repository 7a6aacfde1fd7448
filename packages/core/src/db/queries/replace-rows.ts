import type { ReplaceableBatch } from '../../domain/replacement.ts';
import type { Queryable } from '../pool.ts';

/**
 * Holds back rollbacks and erasures of the batch's source, and others that replace something of it, until the transaction
 * ends: none of them sees what the others have not committed. Before the fence, since rollbacks take this before the batch.
 * Never waits: nothing that waited here would be found by who ends stopped work.
 *
 * @returns false while one of them is under way
 */
export async function tryHoldSource(db: Queryable, batchId: string): Promise<boolean> {
  const { rows } = await db.query<{ held: boolean }>(
    `select pg_try_advisory_xact_lock(7403116, hashtext(source)) as held
       from analytics.backfill_batches where batch_id = $1`,
    [batchId],
  );
  return rows[0]?.held ?? false;
}

/** The batch that is to be replaced, held as it is until the transaction ends: it cannot be taken back meanwhile. */
export async function holdReplacedBatch(db: Queryable, batchId: string): Promise<ReplaceableBatch | undefined> {
  const { rows } = await db.query<ReplaceableBatch>(
    `select batch_id, source, status, rows_live, replaced_by, window_start, window_end
       from analytics.backfill_batches where batch_id = $1 for no key update`,
    [batchId],
  );
  return rows[0];
}

/** What a publish has tombstoned. */
export interface Replacement {
  replaced: number;
  /** As `countReplacedRows` forms it. */
  fingerprint: string;
  /** Rows among them that say of themselves that they came later (`ingested_at`). */
  arrived: number;
}

/**
 * Tombstones what the batch replaces.
 *
 * @param since by the database's clock
 */
export async function replaceRows(db: Queryable, batchId: string, since: Date): Promise<Replacement> {
  const { rows } = await db.query<Replacement>('select * from analytics.replace_rows($1, $2)', [batchId, since]);
  return rows[0] as Replacement;
}

/** Others that lost an event to live ingestion which the batch has replaced may publish it. */
export async function withdrawLive(db: Queryable, batchId: string): Promise<void> {
  await db.query('select analytics.withdraw_live($1)', [batchId]);
}

/** Says of a batch that another one has replaced it. */
export async function setReplaced(db: Queryable, batchId: string, replacedBy: string): Promise<void> {
  await db.query('update analytics.backfill_batches set rows_live = false, replaced_by = $2 where batch_id = $1', [
    batchId,
    replacedBy,
  ]);
}

/**
 * Batches whose gates do not hold any more when this one has replaced its target: those that want to replace the same, and
 * those that lost events to it, which nobody has now.
 */
export async function listConcernedByReplacement(
  db: Queryable,
  batchId: string,
  target: string | null,
): Promise<string[]> {
  const { rows } = await db.query<{ batch_id: string }>(
    `select batch_id from analytics.backfill_batches where replaces_batch_id = $2 and batch_id <> $1
     union
     select loser_batch_id from analytics.backfill_losers
      where not to_publish and loser_batch_id <> $1
        and (winner_batch_id = $2 or ($2::text is null and winner_batch_id = $1 and winner_attempt = 0))`,
    [batchId, target],
  );
  return rows.map(({ batch_id }) => batch_id);
}
