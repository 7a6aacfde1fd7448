import type { BatchDetail } from '../client/batch-view.ts';
import { findReplacement } from '../domain/replacement-change.ts';
import { formatBalance } from './format-balance.ts';
import { formatGates } from './format-gates.ts';
import { formatCount, formatQuantity } from './format-number.ts';
import { formatPeople } from './format-people.ts';
import { formatReplacement } from './format-replacement.ts';
import { formatRollback } from './format-rollback.ts';

/** All that matters about one batch, in a few blocks: what it is, its balance, gates and approvals. */
export function formatBatch(batch: BatchDetail): string[] {
  const { progress, approvals, rollback, replaces } = batch;
  const reason = batch.status_reason === null ? '' : ` (${batch.status_reason})`;
  const lines = batch.files.reduce((sum, file) => sum + file.lines, 0);
  return [
    `${batch.batch_id}: ${batch.status}${reason}`,
    `  source     ${batch.source}`,
    `  window     ${batch.window.start} to ${batch.window.end}`,
    `  input      ${formatQuantity(batch.files.length, 'file')}${formatNames(batch)}, ${formatQuantity(lines, 'line')}`,
    `  plan       ${batch.plan_hash ?? 'not made yet'}`,
    `  progress   ${formatQuantity(progress.lines_read, 'line')} transformed, ${formatCount(batch.balance.read)} accounted for`,
    ...(batch.replaced_by ? [`  replaced   by ${batch.replaced_by}: nothing of it is live`] : []),
    ...(batch.balance.read > 0 ? block('Balance', formatBalance(batch.balance)) : []),
    ...(batch.gates.length > 0 ? block('Gates', formatGates(batch.gates)) : []),
    ...(replaces ? block('Replaces', formatReplacement(replaces, findReplacement(batch.gates))) : []),
    ...(approvals.length > 0 ? block('Approvals', approvals.map(formatApproval)) : []),
    ...(rollback === null ? [] : block('Rollback', formatRollback(rollback))),
    ...formatPeople(batch).flatMap(([title, lines]) => block(title, lines)),
  ];
}

/** ` (csv, ndjson)`: the formats that the plan found. */
function formatNames({ files }: BatchDetail): string {
  const names = [...new Set(files.map((file) => file.format))].sort();
  return names.length === 0 ? '' : ` (${names.join(', ')})`;
}

function block(title: string, lines: readonly string[]): string[] {
  return ['', `${title}:`, ...lines.map((line) => `  ${line}`)];
}

function formatApproval(approval: BatchDetail['approvals'][number]): string {
  const { stage, role, actor, decision, at, counts } = approval;
  const note = counts ? '' : ' (does not count any more)';
  return `${stage}: ${decision} by ${role} (${actor}) at ${at}${note}`;
}
