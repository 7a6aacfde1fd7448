import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonFraming } from '../formats/json-framing.ts';
import { createLineFraming } from '../formats/line-framing.ts';
import { RecordScanner } from '../formats/record-scanner.ts';
import { ChunkScanner } from './chunk-scanner.ts';

function scan(text: string, chunkBytes: number, blockBytes: number) {
  const records = new RecordScanner(createLineFraming(), { firstLine: 1, maxLineBytes: 0 });
  const scanner = new ChunkScanner(records, chunkBytes);
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += blockBytes) scanner.feed(bytes.subarray(at, at + blockBytes));
  return { ...scanner.finish(), ranges: scanner.ranges };
}

describe('ChunkScanner', () => {
  it('cuts at line ends and knows the first line of each range', () => {
    expect(scan('aa\nbb\ncc\ndd', 4, 3)).toEqual({
      lines: 4,
      bytes: 11,
      ranges: [
        { byteStart: 0, byteEnd: 6, firstLine: 1, lineCount: 2 },
        { byteStart: 6, byteEnd: 11, firstLine: 3, lineCount: 2 },
      ],
    });
  });

  it('finds nothing in nothing', () => {
    expect(scan('', 10, 5)).toEqual({ lines: 0, bytes: 0, ranges: [] });
  });

  it('covers every byte and line once, however the input is cut', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'ü', '\n', '\r'), maxLength: 200 });
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 70 }), (input, chunk, block) => {
        const found = scan(input, chunk, block);
        const bytes = Buffer.from(input);
        const lines = input.split('\n').length - (input.endsWith('\n') || input === '' ? 1 : 0);
        expect(found.lines).toBe(lines);
        expect(found.bytes).toBe(bytes.length);
        let byte = 0;
        let line = 1;
        for (const range of found.ranges) {
          expect([range.byteStart, range.firstLine]).toEqual([byte, line]);
          byte = range.byteEnd;
          line += range.lineCount;
        }
        expect([byte, line - 1]).toEqual([bytes.length, lines]);
      }),
    );
  });

  it('does not cut behind a damaged record', () => {
    const records = new RecordScanner(new JsonFraming(), { firstLine: 1, maxLineBytes: 0 });
    const scanner = new ChunkScanner(records, 1);
    scanner.feed(Buffer.from('{"a":1}{"b":"cut{"c":2}{"d":3}'));
    expect(scanner.finish().lines).toBe(4);
    expect(scanner.ranges.map(({ firstLine, lineCount }) => [firstLine, lineCount])).toEqual([
      [1, 1],
      [2, 2],
      [4, 1],
    ]);
  });
});
