import type { DayCount } from '@backfill/core/report/report';
import { stringify } from 'csv-stringify/sync';

const COLUMNS = [
  'batch_id',
  'source',
  'event_name',
  'day',
  'pre_count',
  'staged',
  'duplicates',
  'replaced',
  'batch_count',
  'post_count',
  'basis',
];

/**
 * `analytics_backfill_verification.csv`: one row per event type and UTC day.
 *
 * @param isCounted whether the stored rows were counted, after a publish or a rollback, or are still to come (`expected`).
 */
export function csvReport(batch: { batchId: string; source: string }, days: DayCount[], isCounted: boolean): string {
  const rows = days.map((day) => ({
    batch_id: batch.batchId,
    source: batch.source,
    ...day,
    post_count: day.pre_count - (day.replaced ?? 0) + day.batch_count,
    basis: isCounted ? 'counted' : 'expected',
  }));
  return stringify(rows, { header: true, columns: COLUMNS });
}
