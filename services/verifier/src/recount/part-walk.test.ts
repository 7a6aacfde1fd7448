import { describe, expect, it } from 'vitest';
import { createPartWalk } from './part-walk.ts';

const PARTS = [
  { part_id: 7, first_line: 1, line_count: 3 },
  { part_id: 9, first_line: 4, line_count: 0 },
  { part_id: 8, first_line: 4, line_count: 2 },
  { part_id: 3, first_line: 8, line_count: 1 },
];

describe('createPartWalk', () => {
  it('finds the part of each line, and none where there is none', () => {
    const partOf = createPartWalk(PARTS);
    expect([1, 3, 3, 4, 5, 6, 7, 8, 9].map(partOf)).toEqual([
      ...[7, 7, 7, 8, 8],
      ...[undefined, undefined, 3, undefined],
    ]);
    expect(createPartWalk([])(1)).toBe(undefined);
  });

  it('goes over lines that are not asked for', () => {
    expect(createPartWalk(PARTS)(8)).toBe(3);
  });
});
