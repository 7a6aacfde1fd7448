import { expect, it } from 'vitest';
import { CopyRows } from './copy-rows.ts';

const textOf = (rows: CopyRows): string => Buffer.concat(rows.blocks()).toString();

function fill(label: string): { rows: CopyRows; expected: string } {
  const rows = new CopyRows();
  const expected = Array.from({ length: 100_000 }, (_, n) => `${n}\tgröße ${label} 👍\n`);
  for (const row of expected) rows.add(row);
  return { rows, expected: expected.join('') };
}

it('keeps every row, in order, in few blocks', () => {
  const rows = new CopyRows();
  expect([rows.count, rows.blocks()]).toEqual([0, []]);
  const filled = fill('a');
  expect(filled.rows.count).toBe(100_000);
  expect(textOf(filled.rows)).toBe(filled.expected);
  expect(filled.rows.blocks().length).toBeLessThan(10);
});

it.each([1_000_000, 200_000])('keeps a row of %i characters among others', (length) => {
  const rows = new CopyRows();
  const expected = ['short\n', `${'€'.repeat(length)}\n`, 'short again\n'];
  for (const row of expected) rows.add(row);
  expect(textOf(rows)).toBe(expected.join(''));
});

it('uses memory again only after its release', () => {
  const first = fill('a');
  const second = fill('b');
  expect(textOf(first.rows)).toBe(first.expected);
  const [memory] = first.rows.blocks();
  first.rows.release();
  expect(first.rows.blocks()).toEqual([]);
  const third = fill('c');
  expect(textOf(second.rows)).toBe(second.expected);
  expect(textOf(third.rows)).toBe(third.expected);
  expect(third.rows.blocks().map(({ buffer }) => buffer)).toContain(memory?.buffer);
});
