import type { Pool } from '@backfill/core/db/pool';
import { withTransaction } from '@backfill/core/db/transaction';
import type { Timing } from './bench-batch.ts';
import type { PartRows } from './part-objects.ts';

const EVENTS_PER_TRANSACTION = 1_000;
const unescaped = (text: string) => text.replaceAll('\\\\', '\\');

/**
 * The baseline: what a script does for each event. Look whether its id is known, note the id, insert the row, insert
 * where it came from. A transaction per thousand events, which a script may not even have.
 */
export async function importRowByRow(pool: Pool, part: PartRows, limit: number, cpu: () => number): Promise<Timing> {
  const rows = part.staging.toString().split('\n').slice(0, limit);
  const start = performance.now();
  const before = cpu();
  for (let first = 0; first < rows.length; first += EVENTS_PER_TRANSACTION) {
    await withTransaction(pool, 'bench', async (client) => {
      for (const [index, row] of rows.slice(first, first + EVENTS_PER_TRANSACTION).entries()) {
        const values = row.split('\t').map((value) => (value === '\\N' ? null : unescaped(value)));
        const [eventId, batchId, , , , , , , , partId] = values;
        const known = await client.query('select 1 from analytics.backfill_event_checkpoint where event_id = $1', [
          eventId,
        ]);
        if (known.rowCount !== 0) throw new Error('an event is there already');
        await client.query(
          `insert into analytics.backfill_event_checkpoint (event_id, batch_id, part_id) values ($1, $2, $3)
           on conflict (event_id) do update set seen_at = now()`,
          [eventId, batchId, partId],
        );
        await client.query(
          `insert into analytics.events_backfill_staging
             (event_id, batch_id, source, event_name, schema_version, event_ts, session_id, subject_id, payload,
              part_id, is_duplicate, duplicate_kind)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
          values,
        );
        await client.query(
          'insert into analytics.backfill_lineage (batch_id, event_id, source_file, line_no) values ($1, $2, $3, $4)',
          [batchId, eventId, 'row-by-row', first + index + 1],
        );
      }
    });
  }
  return { ms: performance.now() - start, events: rows.length, cpuSeconds: cpu() - before };
}
