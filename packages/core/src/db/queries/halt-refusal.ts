import type { BatchStatus } from '../../domain/batch-status.ts';
import type { Queryable } from '../pool.ts';

/** What to do with a batch that cannot be halted any more; in the words that psql shows. Empty where it can be. */
export async function describeAfterHalt(db: Queryable, batchId: string, status: BatchStatus): Promise<string> {
  const { rows } = await db.query<{ next: string | null }>('select analytics.describe_after_halt($1, $2) as next', [
    batchId,
    status,
  ]);
  return rows[0]?.next ?? '';
}
