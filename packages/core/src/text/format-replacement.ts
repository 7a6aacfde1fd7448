import type { Replaces } from '../domain/replacement.ts';
import { type ChangeCounts, changesByType, type ReplacementDetail, sumChanges } from '../domain/replacement-change.ts';
import { formatCount, formatQuantity } from './format-number.ts';

/** `the batch old`, `live events`. */
export function formatTarget(replaces: Replaces): string {
  return 'batch_id' in replaces ? `the batch ${replaces.batch_id}` : 'live events';
}

/** `900 the same, 90 changed, 8 added, 10 gone`. */
export function formatChanges({ identical, changed, added, gone }: ChangeCounts): string {
  return [
    [identical, 'the same'] as const,
    [changed, 'changed'] as const,
    [added, 'added'] as const,
    [gone, 'gone'] as const,
  ]
    .map(([count, what]) => `${formatCount(count)} ${what}`)
    .join(', ');
}

/** What a batch puts in whose place: in all, and by type. Without a measurement, only whose. */
export function formatReplacement(replaces: Replaces, measured: ReplacementDetail | undefined): string[] {
  if (measured === undefined) return [`${formatTarget(replaces)}; what changes is measured with the gates`];
  const total = sumChanges(measured.changes);
  const sizes = `${formatQuantity(total.proposed, 'event')} in place of ${formatCount(measured.rows)}`;
  return [
    `${formatTarget(replaces)}: ${sizes}; ${formatChanges(total)}`,
    ...changesByType(measured.changes).map(({ event_name, ...counts }) => `${event_name}: ${formatChanges(counts)}`),
  ];
}
