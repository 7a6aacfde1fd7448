import type { RestoredSnapshot, RevivedRows, RollbackProof } from '../domain/rollback-proof.ts';
import { formatCount, formatQuantity } from './format-number.ts';

/** The proof of a rollback for people: what it took, what it left, and that nobody else's rows were touched. */
export function formatRollback(proof: Omit<RollbackProof, 'actor'>): string[] {
  const { keys_freed, keys_after, left_outside, handed_over, snapshot, replaced } = proof;
  const keys = keys_freed === null ? 'its keys are still to be freed' : `${formatQuantity(keys_freed, 'key')} freed`;
  const left = [
    formatQuantity(proof.live_rows_after, 'live row'),
    ...(keys_after === null ? [] : [formatQuantity(keys_after, 'key')]),
    formatQuantity(proof.jobs_after, 'job'),
  ];
  return [
    `by ${proof.mode}: ${formatQuantity(proof.tombstoned, 'event')} taken back, ${keys}`,
    ...(handed_over === 0 ? [] : [`handed over to others who delivered them too: ${formatCount(handed_over)} of them`]),
    ...(replaced === null ? [] : [formatRevived(replaced)]),
    `left over: ${left.join(', ')}`,
    ...(left_outside === 0
      ? []
      : [`outside of its window, and left there: ${formatQuantity(left_outside, 'live row')}`]),
    ...formatOthers(proof),
    ...(snapshot === null ? [] : formatSnapshot(snapshot)),
  ];
}

function formatRevived({ revived, suppressed, expired, live }: RevivedRows): string {
  const reasons: [count: number, why: string][] = [
    [suppressed, 'suppressed'],
    [expired, 'expired'],
    [live, 'live already'],
  ];
  const left = reasons.filter(([count]) => count > 0).map(([count, why]) => `${formatCount(count)} ${why}`);
  return `of what it had replaced, live again: ${formatQuantity(revived, 'row')}${left.length === 0 ? '' : `; not ${left.join(', ')}`}`;
}

function formatOthers({
  others_before: before,
  others_after: after,
  others_recent: recent,
}: Omit<RollbackProof, 'actor'>) {
  if (before === null || after === null) return [];
  const count = formatQuantity(Number(after.split(':')[0]), 'row');
  const isSame = before === after ? 'the same before and after' : `${before} before, ${after} after`;
  return [
    `of others in its window: ${count}, ${isSame}${recent ? `, and ${formatCount(recent)} written meanwhile` : ''}`,
  ];
}

function formatSnapshot(snapshot: RestoredSnapshot): string[] {
  const reasons: [count: number, why: string][] = [
    [snapshot.suppressed, 'suppressed'],
    [snapshot.expired, 'expired'],
    [snapshot.replaced ?? 0, 'replaced by another batch'],
    [snapshot.taken_back, 'of batches taken back'],
    [snapshot.own, 'of this batch'],
  ];
  const left = reasons.filter(([count]) => count > 0).map(([count, why]) => `${formatCount(count)} ${why}`);
  const since = Object.values(snapshot.since).reduce((sum, count) => sum + count, 0);
  return [
    `snapshot of ${snapshot.taken_at}: ${formatQuantity(snapshot.rows, 'row')}, ${formatCount(snapshot.kept)} of them live ` +
      `still, ${formatCount(snapshot.restored)} live again${left.length === 0 ? '' : `; left out: ${left.join(', ')}`}`,
    ...(since === 0
      ? []
      : [`came after the snapshot, and stay: ${formatQuantity(since, 'row')} (${formatSince(snapshot)})`]),
  ];
}

function formatSince({ since, since_examples: examples }: RestoredSnapshot): string {
  const origins = Object.entries(since).map(([origin, count]) => `${formatCount(count)} of ${origin}`);
  return `${origins.join(', ')}; such as ${examples[0]}`;
}
