import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RawLine } from './raw-line.ts';
import { splitLines } from './split-lines.ts';

async function split(blocks: Buffer[], maxLineBytes = 1_000, firstLine = 1): Promise<RawLine[]> {
  const lines: RawLine[] = [];
  for await (const batch of splitLines(Readable.from(blocks), { firstLine, maxLineBytes })) {
    lines.push(...batch);
  }
  return lines;
}

function texts(lines: RawLine[]): (string | undefined)[] {
  return lines.map(({ bytes }) => bytes?.toString('latin1'));
}

/** The obvious way, to compare with. */
function splitSlowly(bytes: Buffer, maxLineBytes: number): RawLine[] {
  const parts = bytes.toString('latin1').split('\n');
  const last = parts.pop() ?? '';
  const lines = parts.map((part, index) => {
    const text = part.endsWith('\r') ? part.slice(0, -1) : part;
    return rawLine(index + 1, text, part.length + 1, maxLineBytes);
  });
  if (last !== '') lines.push(rawLine(lines.length + 1, last, last.length, maxLineBytes));
  return lines;
}

function rawLine(lineNo: number, text: string, byteLength: number, maxLineBytes: number): RawLine {
  const bytes = text.length > maxLineBytes ? undefined : Buffer.from(text, 'latin1');
  return { lineNo, bytes, byteLength };
}

describe('splitLines', () => {
  it('cuts at LF, drops a CR before it, and counts a last line without LF', async () => {
    const lines = await split([Buffer.from('a\nb\r\n\n\r\nc\rd\r')]);
    expect(texts(lines)).toEqual(['a', 'b', '', '', 'c\rd\r']);
    expect(lines.map(({ byteLength }) => byteLength)).toEqual([2, 3, 1, 2, 4]);
  });

  it('finds nothing in nothing, and no line behind the last LF', async () => {
    expect(await split([])).toEqual([]);
    expect(await split([Buffer.alloc(0)])).toEqual([]);
    expect(texts(await split([Buffer.from('a\n')]))).toEqual(['a']);
  });

  it('counts from the given first line', async () => {
    const lines = await split([Buffer.from('a\nb\nc')], 10, 41);
    expect(lines.map(({ lineNo }) => lineNo)).toEqual([41, 42, 43]);
  });

  it('gives the same lines however the bytes are cut into blocks', async () => {
    const bytesAndCuts = fc.tuple(
      fc.array(fc.constantFrom('a', 'b', '\r', '\n', 'ccc'), { maxLength: 60 }),
      fc.array(fc.nat(200), { maxLength: 12 }),
      fc.integer({ min: 1, max: 6 }),
    );
    await fc.assert(
      fc.asyncProperty(bytesAndCuts, async ([pieces, cuts, maxLineBytes]) => {
        const bytes = Buffer.from(pieces.join(''));
        const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length];
        places.sort((a, b) => a - b);
        const blocks = places.slice(1).map((end, index) => bytes.subarray(places[index], end));
        const lines = await split(blocks, maxLineBytes);
        expect(lines).toEqual(splitSlowly(bytes, maxLineBytes));
        expect(lines.reduce((sum, line) => sum + line.byteLength, 0)).toBe(bytes.length);
      }),
      { numRuns: 300 },
    );
  });

  it('counts a line of 50 MB without keeping it', async () => {
    const block = Buffer.alloc(64 * 1024, 'x');
    const blocks = (function* () {
      for (let count = 0; count < 800; count++) yield block;
      yield Buffer.from('\nnext\n');
    })();
    const lines: RawLine[] = [];
    const options = { firstLine: 1, maxLineBytes: 1024 * 1024 };
    for await (const batch of splitLines(Readable.from(blocks), options)) lines.push(...batch);
    expect(lines.map(({ byteLength }) => byteLength)).toEqual([800 * 64 * 1024 + 1, 5]);
    expect(texts(lines)).toEqual([undefined, 'next']);
  });

  it('keeps a line of exactly the limit, with LF, CR LF or nothing behind it', async () => {
    const lines = await split([Buffer.from('1234\n1234\r\n12345\n12345\r\n1234')], 4);
    expect(texts(lines)).toEqual(['1234', '1234', undefined, undefined, '1234']);
  });
});
