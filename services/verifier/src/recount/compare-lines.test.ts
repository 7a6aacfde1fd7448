import type { LedgerLine } from '@backfill/core/db/queries/ledger-line-list';
import type { RawLine } from '@backfill/core/formats/raw-line';
import { describe, expect, it } from 'vitest';
import { compareLines } from './compare-lines.ts';
import type { SecondOutcome } from './second-reading.ts';

const line = (lineNo: number): RawLine => ({ lineNo, bytes: Buffer.alloc(0), byteLength: 1 });
const event = (id: string, subjectId: string | null = null): SecondOutcome => ({
  outcome: 'accepted',
  eventId: id,
  subjectId,
});
const BAD: SecondOutcome = { outcome: 'quarantined', subjectId: null };
const FILTERED: SecondOutcome = { outcome: 'filtered' };

/** @param pageSize rows of the ledger that come at once */
async function compare(second: SecondOutcome[], ledger: [number, string | null][], suppressed = '', pageSize = 2) {
  const rows: LedgerLine[] = ledger.map(([line_no, event_id]) => ({ line_no, event_id }));
  async function* batches() {
    for (const [index] of second.entries()) yield [line(index + 1)];
  }
  return compareLines(batches(), {
    read: ({ lineNo }) => second[lineNo - 1] ?? FILTERED,
    isSuppressed: (subjectId) => subjectId === suppressed,
    nextLedgerLines: async (after) => rows.filter(({ line_no }) => line_no > after).slice(0, pageSize),
  });
}

describe('compareLines', () => {
  it('agrees with a ledger that says the same', async () => {
    const found = await compare(
      [event('a'), BAD, FILTERED, event('b'), event('c')],
      [
        [1, 'a'],
        [2, null],
        [4, 'b'],
        [5, 'c'],
      ],
    );
    expect(found).toEqual({
      lines: 5,
      outcomes: { accepted: 3, quarantined: 1, suppressed: 0, expired: 0, filtered: 1 },
      disagreements: 0,
      examples: [],
    });
  });

  it.each<[string, SecondOutcome[], [number, string | null][], string]>([
    ['another event', [event('a')], [[1, 'b']], 'line 1 is another event than in the ledger'],
    ['a lost event', [event('a'), event('b')], [[1, 'a']], 'line 2 is accepted, and the ledger does not have it'],
    ['a lost bad line', [BAD], [], 'line 1 is quarantined, and the ledger does not have it'],
    ['an event out of a bad line', [BAD], [[1, 'a']], 'line 1 is quarantined, and accepted in the ledger'],
    ['an event out of nothing', [FILTERED], [[1, 'a']], 'line 1 is filtered, and accepted in the ledger'],
    ['a good line in quarantine', [event('a')], [[1, null]], 'line 1 is accepted, and quarantined in the ledger'],
    [
      'a line beyond the end',
      [event('a')],
      [
        [1, 'a'],
        [2, 'b'],
      ],
      'line 2 is in the ledger and not in the mirror',
    ],
    [
      'a line of no file',
      [event('a')],
      [
        [0.5, 'x'],
        [1, 'a'],
      ],
      'line 0.5 is twice in the ledger',
    ],
  ])('finds %s', async (_, second, ledger, example) => {
    const found = await compare(second, ledger);
    expect([found.disagreements, found.examples]).toEqual([1, [example]]);
  });

  it('takes both for right where a person was suppressed after the transform or before', async () => {
    const second = [event('a', 'p1_x'), event('b', 'p1_x')];
    const found = await compare(second, [[1, 'a']], 'p1_x');
    expect([found.disagreements, found.outcomes.accepted, found.outcomes.suppressed]).toEqual([0, 1, 1]);
  });
});
