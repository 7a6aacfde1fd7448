import type { RecordedEscalation } from '../../domain/escalation.ts';
import type { Queryable } from '../pool.ts';

/** All escalations of a batch with their decisions, in their order. */
export async function listEscalations(db: Queryable, batchId: string): Promise<RecordedEscalation[]> {
  const { rows } = await db.query<RecordedEscalation>(
    `select e.escalation_no, e.about, e.status_reason, e.raised_by, e.why, e.raised_at,
            case when d.batch_id is not null then jsonb_build_object(
              'role', d.role, 'decided_by', d.decided_by, 'decision', d.decision, 'why', d.why,
              'decided_at', to_char(d.decided_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) end as decision
       from analytics.backfill_escalations e
       left join analytics.backfill_escalation_decisions d using (batch_id, escalation_no)
      where e.batch_id = $1 order by e.escalation_no`,
    [batchId],
  );
  return rows;
}
