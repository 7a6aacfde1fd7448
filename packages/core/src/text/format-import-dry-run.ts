import type { DryRun } from '../transform/dry-run.ts';
import { formatCount, formatQuantity } from './format-number.ts';
import { formatTable } from './format-table.ts';

/** What an import would give now, for a person. */
export function formatImportDryRun(run: DryRun): string[] {
  const { balance, duplicates, owners } = run;
  const columns = [
    { heading: 'of the events', align: 'left' as const },
    { heading: 'rows', align: 'right' as const },
  ];
  const owned = owners.map(({ batch_id, events }) => `  ${batch_id}  ${formatQuantity(events, 'row')}`);
  return [
    `Import of ${run.batch_id} (${run.source}), were it to happen now. Nothing was stored.`,
    '',
    ...formatTable(columns, [
      ['inserted', formatCount(balance.inserted)],
      ['repeated by the batch itself (same_batch)', formatCount(duplicates.same_batch)],
      ['delivered by other batches (other_batch)', formatCount(duplicates.other_batch)],
      ['written by live ingestion (live)', formatCount(duplicates.live)],
    ]),
    ...(owned.length > 0 ? ['', 'Batches that have them', ...owned] : []),
    '',
    `${formatQuantity(balance.read, 'line')} read; ./backfill transform --dry-run tells what became of the others.`,
  ];
}
