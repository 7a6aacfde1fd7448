import type { ReadFile, SealedReading } from '../../domain/recount-seal.ts';
import type { Queryable } from '../pool.ts';

/** Who does not give a sign of life for so long has lost its claim. */
const CLAIM_SECONDS = 10;

/** The sealed reading that is kept of a file, if there is one. */
export async function getSealedReading(
  db: Queryable,
  { batchId, fileNo }: ReadFile,
): Promise<SealedReading | undefined> {
  const { rows } = await db.query<SealedReading>(
    `select result, seal from analytics.backfill_recounts
      where batch_id = $1 and file_no = $2 and result is not null`,
    [batchId, fileNo],
  );
  return rows[0];
}

/** Forgets a reading that is kept of a file, if it is still this one. */
export async function deleteSealedReading(db: Queryable, { batchId, fileNo }: ReadFile, seal: string): Promise<void> {
  await db.query('delete from analytics.backfill_recounts where batch_id = $1 and file_no = $2 and seal = $3', [
    batchId,
    fileNo,
    seal,
  ]);
}

/** Forgets all readings of a batch, so that the next verification makes them anew. @returns how many there were */
export async function deleteRecounts(db: Queryable, batchId: string): Promise<number> {
  const { rowCount } = await db.query('delete from analytics.backfill_recounts where batch_id = $1', [batchId]);
  return rowCount ?? 0;
}

/** A right to read a file, while nobody else does. */
export interface RecountClaim {
  /** A UUID of this run alone. */
  claim: string;
  /** The batch's, under which the run works. */
  epoch: number;
}

/**
 * Claims a file for reading.
 *
 * @returns false when another is at it, or has read it.
 */
export async function claimRecount(
  db: Queryable,
  { batchId, fileNo }: ReadFile,
  { claim, epoch }: RecountClaim,
): Promise<boolean> {
  const { rowCount } = await db.query(
    `insert into analytics.backfill_recounts as r (batch_id, file_no, claimed_by, epoch, heartbeat_at)
     values ($1, $2, $3, $4, clock_timestamp())
     on conflict (batch_id, file_no) do update
        set claimed_by = excluded.claimed_by, epoch = excluded.epoch, heartbeat_at = excluded.heartbeat_at
      where r.result is null
        -- A sign of life from the future was before the clock went back.
        and (r.epoch < excluded.epoch or r.heartbeat_at < clock_timestamp() - make_interval(secs => $5)
             or r.heartbeat_at > clock_timestamp())`,
    [batchId, fileNo, claim, epoch, CLAIM_SECONDS],
  );
  return rowCount === 1;
}

/** A sign of life. @returns false when the claim was lost. */
export async function renewRecountClaim(db: Queryable, { batchId, fileNo }: ReadFile, claim: string): Promise<boolean> {
  const { rowCount } = await db.query(
    `update analytics.backfill_recounts set heartbeat_at = clock_timestamp()
      where batch_id = $1 and file_no = $2 and claimed_by = $3 and result is null`,
    [batchId, fileNo, claim],
  );
  return rowCount === 1;
}

/** Gives a claim back without a result. */
export async function releaseRecountClaim(db: Queryable, { batchId, fileNo }: ReadFile, claim: string): Promise<void> {
  await db.query(
    `delete from analytics.backfill_recounts
      where batch_id = $1 and file_no = $2 and claimed_by = $3 and result is null`,
    [batchId, fileNo, claim],
  );
}

/** Keeps a reading under its claim. @returns false when the claim was lost. */
export async function keepReading(
  db: Queryable,
  { batchId, fileNo }: ReadFile,
  claim: string,
  { result, seal }: SealedReading,
): Promise<boolean> {
  const { rowCount } = await db.query(
    `update analytics.backfill_recounts set result = $4, seal = $5, heartbeat_at = clock_timestamp()
      where batch_id = $1 and file_no = $2 and claimed_by = $3 and result is null`,
    [batchId, fileNo, claim, result, seal],
  );
  return rowCount === 1;
}
