import type { ErasureView } from '../client/erasure-view.ts';
import { formatCount } from './format-number.ts';
import { formatTable, type TableColumn } from './format-table.ts';

const COLUMNS: TableColumn[] = [
  { heading: 'batch', align: 'left' },
  { heading: 'from', align: 'left' },
  { heading: 'rows or lines', align: 'right' },
  { heading: 'objects', align: 'right' },
  { heading: 'at', align: 'left' },
];

/** An erasure for people: what has gone from where, and what was left. */
export function formatErasure(erasure: ErasureView): string[] {
  const { erasure_id: id, state, receipts, problems, waiting_for: waitingFor } = erasure;
  const table = formatTable(
    COLUMNS,
    receipts.map(({ store, batch_id, rows, objects, last_at }) => [
      ...[batch_id ?? '', store, formatCount(rows), formatCount(objects), last_at],
    ]),
  );
  return [
    ...(receipts.length === 0 ? ['Nothing was stored of this person.'] : ['Erased:', ...table]),
    ...(waitingFor.length === 0 ? [] : [`Waits until these rest: ${waitingFor.join(', ')}`]),
    ...problems.map((problem) => `Left: ${problem}`),
    `Erasure ${id} is ${state}.`,
  ];
}
