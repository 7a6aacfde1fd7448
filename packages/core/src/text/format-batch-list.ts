import type { BatchView } from '../client/batch-view.ts';
import { formatCount } from './format-number.ts';
import { formatTable } from './format-table.ts';

/** Batches, one a line. */
export function formatBatchList(batches: readonly BatchView[]): string[] {
  return formatTable(
    [
      { heading: 'batch', align: 'left' },
      { heading: 'source', align: 'left' },
      { heading: 'status', align: 'left' },
      { heading: 'window', align: 'left' },
      { heading: 'read', align: 'right' },
      { heading: 'inserted', align: 'right' },
      { heading: 'submitted', align: 'left' },
    ],
    batches.map((batch) => [
      batch.batch_id,
      batch.source,
      batch.status,
      `${toMinute(batch.window.start)} to ${toMinute(batch.window.end)}`,
      formatCount(batch.balance.read),
      formatCount(batch.balance.inserted),
      toMinute(batch.created_at),
    ]),
  );
}

/** `2026-08-01T00:00Z`: the API's times are UTC. */
function toMinute(instant: string): string {
  return `${instant.slice(0, 16)}Z`;
}
