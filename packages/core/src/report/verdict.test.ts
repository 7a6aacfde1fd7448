import { describe, expect, it } from 'vitest';
import { testGate, testReport, testRollback } from './report-fixture.ts';

const failed = testGate('duplicates', 0.001, 0.2, { passed: false });

describe('the verdict', () => {
  it.each([
    ['ready', testReport(), 'All 11 gates passed: 1,001,340 events can be signed and published.', './backfill approve'],
    ['ready', testReport({ status: 'verifying' }), 'All 11 gates passed: 1,001,340 events', './backfill approve'],
    [
      'gates_failed',
      testReport({ status: 'gates_failed', gates: [failed] }),
      '1 of 1 gates failed (duplicates): nothing is published.',
      './backfill verify',
    ],
    ['gates_failed', testReport({ status: 'verifying', gates: [failed] }), '1 of 1 gates failed', './backfill verify'],
    [
      'published',
      testReport({ status: 'published', rows: 1 }),
      'Published: 1 event of this batch is live.',
      './backfill rollback',
    ],
    [
      'published',
      testReport({ status: 'published', replaced_by: 'newer' }),
      'Published, and replaced by newer since: no event of this batch is live.',
      './backfill rollback newer',
    ],
    [
      'rolled_back',
      testReport({ status: 'rolled_back', gates: [failed] }),
      'Rolled back: no event of this batch is live.',
      './backfill resume',
    ],
    ['unproven', testReport({ status: 'gates_failed', gates: [] }), 'Nothing is measured yet', './backfill verify'],
  ])('of a batch is %s', (outcome, { verdict }, sentence, next) => {
    expect(verdict.outcome).toBe(outcome);
    expect(verdict.sentence).toContain(sentence);
    expect(verdict.next[0]?.command).toContain(next);
    expect(verdict.next.every(({ command }) => !command.includes(' report '))).toBe(true);
  });

  it('does not say more of a rollback than it did', () => {
    const sentence = (left_outside: number) =>
      testReport({ status: 'rolled_back', rollback: testRollback({ left_outside }) }).verdict.sentence;
    expect(sentence(0)).toBe('Rolled back: no event of this batch is live; 10 rows taken back.');
    expect(sentence(1)).toBe('Rolled back: no event of this batch is live in its window; 10 rows taken back.');
  });

  it('says what else has to be known', () => {
    const incident = {
      ...{ incident_id: 1, closed_by: null, note: null },
      kind: 'gates_failed',
      summary: '',
      raised_at: '',
      post_mortem_due: '2026-11-04T09:15:00.000Z',
      closed_at: null,
    };
    const { notes } = testReport({ status: 'gates_failed', incidents: [incident] }).verdict;
    expect(notes).toEqual([
      'Not applicable to this source: activation funnel.',
      'An incident (gates failed) is open; its post-mortem is due by 2026-11-04 09:15 UTC.',
      'The window is frozen: readers must not trust it yet.',
    ]);
    const closed = testReport({
      incidents: [{ ...incident, closed_at: '2026-11-03T10:00:00.000Z' }],
      is_frozen: false,
      gates: [],
    });
    expect(closed.verdict.notes).toEqual([]);
  });
});
