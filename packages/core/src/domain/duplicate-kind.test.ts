import { expect, it } from 'vitest';
import { judgeRows } from './duplicate-kind.ts';

const nobody = { live: new Map(), owners: new Map(), givingWay: new Set<string | null>() };

it('lets the first of each event pass, and calls what repeats it the batch’s own', () => {
  expect(judgeRows(['a', 'b', 'a', 'c', 'a'], 'mine', nobody)).toEqual(
    new Map([
      [2, 'same_batch'],
      [4, 'same_batch'],
    ]),
  );
  expect(judgeRows([], 'mine', nobody)).toEqual(new Map());
});

it('tells who has an event: this batch before, another one, live ingestion, another one that is live', () => {
  const live = new Map([
    ['l', null],
    ['p', 'published'],
  ]);
  const owners = new Map([
    ['m', 'mine'],
    ['o', 'other'],
  ]);
  expect(judgeRows(['new', 'm', 'o', 'l', 'p', 'o', 'l'], 'mine', { live, owners, givingWay: new Set() })).toEqual(
    new Map([
      [1, 'same_batch'],
      [2, 'other_batch'],
      [3, 'live'],
      [4, 'other_batch'],
      [5, 'other_batch'],
      [6, 'live'],
    ]),
  );
});

it('takes what a holder has that gives way for the batch’s own, once in all of its parts', () => {
  const live = new Map([
    ['r', 'replaced'],
    ['again', 'replaced'],
    ['mine', 'replaced'],
    ['l', null],
  ]);
  const owners = new Map([
    ['mine', 'mine'],
    ['withdrawn', 'replaced'],
  ]);
  const givingWay = new Set(['replaced']);
  const ids = ['r', 'again', 'r', 'mine', 'withdrawn', 'l'];
  expect(judgeRows(ids, 'mine', { live, owners, givingWay }, new Set(['r', 'withdrawn', 'l']))).toEqual(
    new Map([
      [1, 'same_batch'],
      [2, 'same_batch'],
      [3, 'same_batch'],
      [5, 'live'],
    ]),
  );
});
