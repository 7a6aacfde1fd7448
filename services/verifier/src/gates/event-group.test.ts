import { describe, expect, it } from 'vitest';
import { EventGroup, type FlaggedRow } from './event-group.ts';

const fresh = { is_duplicate: false, duplicate_kind: null, is_lost: false };
const repeat = { is_duplicate: true, duplicate_kind: 'same_batch', is_lost: false } as const;
const live = { is_duplicate: true, duplicate_kind: 'live', is_lost: true } as const;
const other = { is_duplicate: true, duplicate_kind: 'other_batch', is_lost: true } as const;

type Flags = Omit<FlaggedRow, 'event_id'>;

function problems(...rows: [string, Flags][]): (string | undefined)[] {
  const group = new EventGroup();
  return rows.map(([event_id, flags]) => group.add({ event_id, ...flags }));
}

describe('EventGroup', () => {
  it('takes what imports leave', () => {
    const found = problems(
      ['a', fresh],
      ['a', repeat],
      ['b', live],
      ['b', repeat],
      ['c', fresh],
      ['c', other],
      ['d', fresh],
    );
    expect(found).toEqual(Array.from({ length: 7 }, () => undefined));
  });

  it.each<[string, [string, Flags][], string]>([
    [
      'two new rows',
      [
        ['a', fresh],
        ['a', fresh],
      ],
      'staged twice as new',
    ],
    [
      'a repeat of nothing',
      [
        ['a', fresh],
        ['b', repeat],
      ],
      'repeats nothing',
    ],
    ['a row that was lost to nobody', [['a', { ...live, is_lost: false }]], 'lost to nobody'],
    ['a duplicate of no kind', [['a', { ...fresh, is_duplicate: true }]], 'is_duplicate'],
    ['a new row with a kind', [['a', { ...repeat, is_duplicate: false }]], 'is_duplicate'],
  ])('finds %s', (_, rows, problem) => {
    expect(problems(...rows).at(-1)).toBe(problem);
  });
});
