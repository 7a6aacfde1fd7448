import type { ReportBalance } from './report.ts';

/** A way in which a raw line can end, with the three kinds of duplicate apart. */
export interface OutcomeKind {
  kind: Exclude<keyof ReportBalance, 'read' | 'duplicate'>;
  title: string;
  means: string;
  /** A variable of the page's style sheet. */
  colour: string;
}

/** All of them, in the order in which they are shown. */
export const OUTCOME_KINDS: readonly OutcomeKind[] = [
  { kind: 'inserted', title: 'inserted', means: 'new events of this batch', colour: 'var(--good)' },
  { kind: 'same_batch', title: 'repeated', means: 'duplicates within the batch', colour: 'var(--warn)' },
  {
    kind: 'other_batch',
    title: 'in another batch',
    means: 'duplicates: another batch has the event',
    colour: 'var(--warn)',
  },
  { kind: 'live', title: 'live already', means: 'duplicates: live ingestion had the event', colour: 'var(--warn)' },
  { kind: 'suppressed', title: 'suppressed', means: 'of people who asked not to be stored', colour: 'var(--private)' },
  { kind: 'expired', title: 'expired', means: 'past the retention period', colour: 'var(--private)' },
  { kind: 'filtered', title: 'filtered', means: 'blank, outside the window, or not asked for', colour: 'var(--quiet)' },
  { kind: 'quarantined', title: 'quarantined', means: 'unreadable or against the schema', colour: 'var(--bad)' },
];
