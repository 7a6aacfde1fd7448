import { expect, it } from 'vitest';
import { testRollback } from '../report/report-fixture.ts';
import { formatRollback } from './format-rollback.ts';

it('says what was taken, what is left, and what became of others', () => {
  expect(formatRollback(testRollback())).toEqual([
    'by snapshot: 10 events taken back, 10 keys freed',
    'handed over to others who delivered them too: 6 of them',
    'left over: 0 live rows, 0 keys, 0 jobs',
    'of others in its window: 40 rows, the same before and after, and 3 written meanwhile',
    'snapshot of 2026-11-03T09:00:00.000Z: 50 rows, 40 of them live still, 3 live again; left out: 4 suppressed, 2 expired, 1 of batches taken back',
    'came after the snapshot, and stay: 2 rows (2 of (live); such as app:20261101000000000:\\x00)',
  ]);
});

it('says no more than there is', () => {
  const proof = testRollback({
    ...{
      mode: 'window',
      keys_freed: null,
      keys_after: null,
      left_outside: 1,
      handed_over: 0,
      snapshot: null,
      replaced: null,
    },
    ...{ others_before: null, others_after: null, others_recent: null },
  });
  expect(formatRollback(proof)).toEqual([
    'by window: 10 events taken back, its keys are still to be freed',
    'left over: 0 live rows, 0 jobs',
    'outside of its window, and left there: 1 live row',
  ]);
});
