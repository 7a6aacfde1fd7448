import { Readable } from 'node:stream';
import type { DuplicateKind } from '@backfill/core/domain/duplicate-kind';
import { expect, it } from 'vitest';
import { markRows } from './mark-rows.ts';

const ROWS = ['a\tb', '', 'escaped\\nline feed', 'ümlaut\t\\N', 'last'];
const KINDS = new Map<number, DuplicateKind>([
  [1, 'same_batch'],
  [3, 'live'],
  [4, 'other_batch'],
]);
const MARKED = [
  'a\tb\tf\t\\N',
  '\tt\tsame_batch',
  'escaped\\nline feed\tf\t\\N',
  'ümlaut\t\\N\tt\tlive',
  'last\tt\tother_batch',
];

async function marked(blocks: Buffer[], kinds = KINDS): Promise<string> {
  const out: Buffer[] = [];
  for await (const block of markRows(Readable.from(blocks), kinds)) out.push(block);
  return Buffer.concat(out).toString();
}

it('says of each row what it is, wherever the blocks are cut', async () => {
  const bytes = Buffer.from(`${ROWS.join('\n')}\n`);
  for (let at = 0; at <= bytes.length; at += 1) {
    expect(await marked([bytes.subarray(0, at), bytes.subarray(at)])).toBe(`${MARKED.join('\n')}\n`);
  }
  const byByte = Array.from(bytes, (_, index) => bytes.subarray(index, index + 1));
  expect(await marked(byByte)).toBe(`${MARKED.join('\n')}\n`);
  expect(await marked([])).toBe('');
});
