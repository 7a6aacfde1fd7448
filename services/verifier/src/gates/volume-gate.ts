import type { BatchReader } from '@backfill/core/dispatch/read-for-batch';
import type { GateResult } from '@backfill/core/domain/gate-result';
import type { Plan } from '@backfill/core/plan/plan';

const VOLUME_SQL = `
  select coalesce(sum(line_count), 0) as read, coalesce(sum(inserted), 0) as inserted,
         coalesce(sum(duplicate_same_batch), 0) as same_batch,
         coalesce(sum(duplicate_other_batch + duplicate_live), 0) as overlap,
         coalesce(sum(suppressed), 0) as suppressed, coalesce(sum(expired), 0) as expired,
         coalesce(sum(filtered), 0) as filtered, coalesce(sum(quarantined), 0) as quarantined
    from analytics.backfill_import_parts
   where batch_id = $1 and state = 'imported'`;

/** Events that were new when they were imported and are not to be published: of whom, and of others, what was known since. */
const SINCE_SQL = `
  select count(*) filter (where l.withheld) as withheld, count(*) filter (where not l.withheld) as overtaken
    from analytics.backfill_losers l
    join analytics.events_backfill_staging s on s.batch_id = l.loser_batch_id and s.event_id = l.event_id
   where l.loser_batch_id = $1 and s.batch_id = $1 and not s.is_duplicate and not l.to_publish`;

/** Lines of a batch by what became of them. */
export interface VolumeCounts {
  read: number;
  inserted: number;
  same_batch: number;
  /** What another batch or live ingestion has. */
  overlap: number;
  suppressed: number;
  expired: number;
  filtered: number;
  quarantined: number;
}

/**
 * Whether as many events came as were to be expected. Expected is the submitter's own count; without it, every line that
 * is neither filtered nor a repeat within the batch, so that what could not be read is what is missing. What is missing
 * for a known reason (people suppressed, past retention, delivered by others) is shown and does not count; what is too
 * much always does.
 *
 * @param reference the submitter's own count
 * @param threshold share of what is expected
 */
export function volumeGate(counts: VolumeCounts, reference: number | undefined, threshold: number): GateResult {
  const { read, filtered, same_batch, inserted, suppressed, expired, overlap } = counts;
  const expected = reference ?? read - filtered - same_batch;
  const missing = Math.max(0, expected - inserted);
  const explained = Math.min(missing, suppressed + expired + overlap);
  const unexplained = missing - explained;
  const surplus = Math.max(0, inserted - expected);
  // Where nothing is expected, every event is one too many.
  const observed = (unexplained + surplus) / Math.max(1, expected);
  const passed = observed <= threshold;
  const from = reference === undefined ? 'by the balance' : 'by the submission';
  const gap = surplus > 0 ? `${surplus} more came` : `${unexplained} are missing without a reason`;
  return {
    gate: 'volume',
    threshold,
    observed,
    passed,
    procedure: `${VOLUME_SQL.trim()};\n${SINCE_SQL.trim()}`,
    detail: {
      ...counts,
      expected,
      expected_from: reference === undefined ? 'balance' : 'submission',
      missing,
      explained: { suppressed, expired, overlap },
      unexplained,
      surplus,
      ...(!passed && { why: `${expected} events were expected ${from}, and ${gap}` }),
    },
  };
}

/** Counts a batch's lines by what has become of them by now, and judges them. */
export async function measureVolume(
  read: BatchReader,
  { batchId, expectedEvents }: Plan,
  threshold: number,
): Promise<GateResult> {
  const booked = await read((client) => client.query<VolumeCounts>(VOLUME_SQL, [batchId]));
  const since = await read((client) => client.query<{ withheld: number; overtaken: number }>(SINCE_SQL, [batchId]));
  const counts = booked.rows[0] as VolumeCounts;
  const { withheld, overtaken } = since.rows[0] ?? { withheld: 0, overtaken: 0 };
  const now = {
    ...counts,
    inserted: counts.inserted - withheld - overtaken,
    suppressed: counts.suppressed + withheld,
    overlap: counts.overlap + overtaken,
  };
  return volumeGate(now, expectedEvents, threshold);
}
