import { formatCount, formatQuantity } from '../text/format-number.ts';
import { type BatchAtRest, stepsOf } from '../text/next-steps.ts';
import { gateMeaning } from './gate-meanings.ts';
import type { Report, ReportGate, Verdict } from './report.ts';

/** What the verdict is about: a report before it has one. */
export type Judged = Pick<
  Report,
  'batch_id' | 'status' | 'status_reason' | 'rows' | 'gates' | 'rollback' | 'incidents' | 'is_frozen' | 'replaced_by'
> &
  Pick<BatchAtRest, 'import_limit' | 'canary_passed' | 'missing_approvals'>;

/** The report's verdict: one sentence, what else has to be known, and what to do next. Pure. */
export function judge(report: Judged): Verdict {
  const outcome = outcomeOf(report);
  return {
    outcome,
    sentence: sentenceOf(report, outcome),
    notes: notesOf(report, outcome),
    next: nextOf(report, outcome),
  };
}

function outcomeOf({ status, gates }: Judged): Verdict['outcome'] {
  if (status === 'published' || status === 'rolled_back') return status;
  if (gates.length === 0) return 'unproven';
  return gates.every(({ passed }) => passed) ? 'ready' : 'gates_failed';
}

function sentenceOf({ gates, rows, rollback, replaced_by }: Judged, outcome: Verdict['outcome']): string {
  const events = formatQuantity(rows ?? 0, 'event');
  const failed = gates.filter(({ passed }) => !passed);
  const measured = gates.length === 1 ? 'The only gate' : `All ${gates.length} gates`;
  switch (outcome) {
    case 'published':
      if (replaced_by) return `Published, and replaced by ${replaced_by} since: no event of this batch is live.`;
      return `Published: ${events} of this batch ${rows === 1 ? 'is' : 'are'} live.`;
    case 'rolled_back':
      return rollback === null
        ? 'Rolled back: no event of this batch is live.'
        : `Rolled back: no event of this batch is live${rollback.left_outside > 0 ? ' in its window' : ''}; ` +
            `${formatQuantity(rollback.tombstoned, 'row')} taken back.`;
    case 'ready':
      return `${measured} passed: ${events} can be signed and published.`;
    case 'gates_failed':
      return `${failed.length} of ${gates.length} gates failed (${listTitles(failed)}): nothing is published.`;
    default:
      return 'Nothing is measured yet: nothing is published.';
  }
}

function listTitles(gates: readonly ReportGate[]): string {
  return gates.map(({ gate }) => gateMeaning(gate).title.toLowerCase()).join(', ');
}

function notesOf({ status_reason, incidents, is_frozen, gates }: Judged, outcome: Verdict['outcome']): string[] {
  const notes: string[] = [];
  if (outcome === 'published' && status_reason !== null) notes.push(`What the publish did: ${status_reason}.`);
  const waived = gates.filter(({ detail }) => typeof detail.not_applicable === 'string');
  if (waived.length > 0) notes.push(`Not applicable to this source: ${listTitles(waived)}.`);
  for (const { kind, post_mortem_due } of incidents.filter(({ closed_at }) => closed_at === null)) {
    notes.push(
      `An incident (${kind.replaceAll('_', ' ')}) is open; its post-mortem is due by ${shortTime(post_mortem_due)}.`,
    );
  }
  if (is_frozen) notes.push('The window is frozen: readers must not trust it yet.');
  return notes;
}

/** `2026-11-02 14:05 UTC`. */
export function shortTime(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`;
}

function nextOf(report: Judged, outcome: Verdict['outcome']): Verdict['next'] {
  // Written while the batch is still verifying, the report is about what comes of it.
  const status = outcome === 'ready' ? 'awaiting_publish_approval' : outcome === 'unproven' ? report.status : outcome;
  const batch = { ...report, status } as BatchAtRest;
  return stepsOf(batch)
    .filter(([command]) => !command.startsWith('./backfill report '))
    .map(([command, effect]) => ({ command, effect }));
}

/** How many of the gates passed, for people: `11 of 12`. */
export function passedGates(gates: readonly Pick<ReportGate, 'passed'>[]): string {
  return `${formatCount(gates.filter(({ passed }) => passed).length)} of ${formatCount(gates.length)}`;
}
