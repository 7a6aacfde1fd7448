import { expect, it } from 'vitest';
import { CopyRows } from './copy-rows.ts';

it('keeps every row, in order, in few blocks', () => {
  const rows = new CopyRows();
  expect([rows.count, rows.blocks()]).toEqual([0, []]);
  const expected = Array.from({ length: 20_000 }, (_, n) => `${n}\tgröße\n`);
  for (const row of expected) rows.add(row);
  expect(rows.count).toBe(20_000);
  expect(Buffer.concat(rows.blocks()).toString()).toBe(expected.join(''));
  expect(rows.blocks().length).toBeLessThan(5);
});
