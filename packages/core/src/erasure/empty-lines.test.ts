import { describe, expect, it } from 'vitest';
import type { StoredFormatName } from '../domain/format-name.ts';
import { createRecordScanner } from '../formats/formats.ts';
import { type EmptiedFile, emptyLines } from './empty-lines.ts';

const CSV = { delimiter: ',', columns: ['a', 'b'], in_file: true };

/** Empties lines of a text that comes in blocks of a size. */
async function empty(format: StoredFormatName, text: string, erased: number[], size: number, starts: number[] = []) {
  const file = { format, header: format === 'csv' ? CSV : null };
  const options = { firstLine: 1, maxLineBytes: 0 };
  const scanners = { scanner: createRecordScanner(file, options), again: createRecordScanner(file, options), format };
  const written: EmptiedFile = { size: 0, lines: 0, starts: new Map(starts.map((line) => [line, 0])) };
  const bytes = Buffer.from(text);
  async function* blocks() {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  }
  const out: Buffer[] = [];
  for await (const block of emptyLines(blocks(), scanners, (line) => erased.includes(line), written)) out.push(block);
  return { text: String(Buffer.concat(out)), ...written, starts: [...written.starts] };
}

describe.each([1, 3, 1_000])('in blocks of %i bytes', (size) => {
  it('leaves line ends, and every other line where it was', async () => {
    const { text, lines, starts } = await empty('ndjson', 'one\r\ntwo\n\nfour', [1, 4], size, [1, 2, 3]);
    expect(text).toBe('\r\ntwo\n\n\n');
    expect(lines).toBe(4);
    expect(starts).toEqual([
      [1, 0],
      [2, 2],
      [3, 6],
    ]);
  });

  it('leaves a value where values follow each other', async () => {
    const { text, lines } = await empty('json-concat', '{"a":1}{"b":{}}\n {"c":3}', [2], size);
    expect([text, lines]).toEqual(['{"a":1}{}\n {"c":3}', 3]);
  });

  it('empties records of several lines', async () => {
    const { text, lines } = await empty('csv', 'a,b\n1,"x\ny"\n2,z\n', [2], size);
    expect([text, lines]).toEqual(['a,b\n\n2,z\n', 3]);
  });

  it('changes nothing when nobody is erased', async () => {
    const text = '{"half\n{"b":2}\nlast';
    expect((await empty('ndjson', text, [], size)).text).toBe(text);
  });
});

it('refuses to change what a damaged neighbour is', async () => {
  // That the quote of the second record is not meant is told from the third; without it the fourth would close it.
  await expect(empty('csv', 'a,b\n1,"x\n"y,z\n",2\n",k\n', [3], 1_000)).rejects.toThrow('read in another way');
});
