import type { RetentionRunView } from '@backfill/core/client/retention-view';
import type { Pool } from '@backfill/core/db/pool';
import { listDeletionsOfRun } from '@backfill/core/db/queries/deletions';
import { getRetentionRun } from '@backfill/core/db/queries/retention-runs';
import { Problem } from './problem.ts';

const iso = (at: Date | null) => at?.toISOString() ?? null;

/** @throws {Problem} 404 when there is no such run */
export async function readRetentionRun(pool: Pool, runId: number): Promise<RetentionRunView> {
  const run = await getRetentionRun(pool, runId);
  if (run === undefined) throw new Problem('not-found', 'There is no run of retention with this number.');
  const deletions = await listDeletionsOfRun(pool, runId);
  return {
    run_id: run.run_id,
    requested_by: run.requested_by,
    requested_at: run.requested_at.toISOString(),
    begun_at: iso(run.begun_at),
    ended_at: iso(run.ended_at),
    outcome: run.outcome,
    problems: run.problems,
    over_age: run.over_age,
    deletions: deletions.map((deletion) => ({
      deletion_id: deletion.deletion_id,
      kind: deletion.kind,
      what: deletion.what,
      batch_id: deletion.batch_id,
      rule: deletion.rule,
      cut_off: deletion.cut_off.toISOString(),
      rows: deletion.rows,
      objects: deletion.objects,
      bytes: deletion.bytes,
      actor: deletion.actor,
      begun_at: deletion.begun_at.toISOString(),
      completed_at: iso(deletion.completed_at),
    })),
  };
}
