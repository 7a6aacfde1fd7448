import { expect, it } from 'vitest';
import { amendPartCounts } from './amend-part-counts.ts';

const books = (inserted: number, same: number, other: number, live: number) => ({
  ...{ inserted, duplicate_same_batch: same, duplicate_other_batch: other, duplicate_live: live },
});

it.each([
  ['what is known', books(5, 2, 1, 0), 3, books(2, 1, 0, 0), books(2, 1, 0, 0)],
  ['the rest from what there is', books(5, 0, 1, 0), 3, books(1, 0, 0, 0), books(2, 0, 1, 0)],
  ['never more than there is', books(1, 1, 0, 0), 2, books(2, 0, 0, 0), books(1, 1, 0, 0)],
  ['nothing', books(1, 1, 1, 1), 0, books(1, 0, 0, 0), books(0, 0, 0, 0)],
])('takes %s', (_, given, lines, known, taken) => {
  expect(amendPartCounts(given, lines, known)).toEqual(taken);
});
