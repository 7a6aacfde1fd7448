import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ChunkScanner } from '../transform/chunk-scanner.ts';
import { readCsvFields } from './csv-fields.ts';
import { CsvFraming } from './csv-framing.ts';
import type { Framing } from './framing.ts';
import { JsonFraming } from './json-framing.ts';
import { createLineFraming } from './line-framing.ts';
import type { RawLine } from './raw-line.ts';
import { RecordScanner } from './record-scanner.ts';

const FRAMINGS: Record<string, () => Framing> = {
  lines: createLineFraming,
  json: () => new JsonFraming(),
  csv: () => new CsvFraming(','),
};

function scan(
  framing: Framing,
  bytes: Buffer,
  blockBytes = bytes.length || 1,
  maxLineBytes = 1e9,
  firstLine = 1,
): RawLine[] {
  const scanner = new RecordScanner(framing, { firstLine, maxLineBytes });
  let lines: RawLine[] = [];
  for (let at = 0; at < bytes.length; at += blockBytes) {
    lines = lines.concat(scanner.feed(Buffer.from(bytes.subarray(at, at + blockBytes))));
  }
  return lines.concat(scanner.finish());
}

function texts(name: string, input: string): (string | undefined)[] {
  const framing = (FRAMINGS[name] as () => Framing)();
  return scan(framing, Buffer.from(input)).map(({ bytes }) => bytes?.toString());
}

/** Pieces that make structure likely, whole or broken. */
const pieces = fc.array(
  fc.constantFrom(
    ...['{"a":1}', '{"b":{"c":[1,{"d":2}]}}', '{"e":"x{y}\\"z"}', '{"cut":"te', '{"cut":{"in":', '{"nan":NaN,"o":{}}'],
    ...[
      '{',
      '}',
      '[',
      ']',
      '"',
      '\\',
      '\n',
      '\r\n',
      ' ',
      ',',
      ':',
      'x',
      '""',
      '1,"a\nb",2\n',
      'a,b\n',
      ',"',
      '\uFEFF',
      'ü',
    ],
  ),
  { maxLength: 40 },
);

describe.each(Object.keys(FRAMINGS))('records of %s', (name) => {
  const framing = FRAMINGS[name] as () => Framing;

  it('are the same however the file is cut into blocks and chunks, and hold every byte once', () => {
    const sizes = {
      block: fc.integer({ min: 1, max: 40 }),
      chunk: fc.integer({ min: 1, max: 60 }),
      max: fc.integer({ min: 0, max: 30 }),
    };
    fc.assert(
      fc.property(pieces, fc.record(sizes), (parts, { block, chunk, max }) => {
        const bytes = Buffer.from(parts.join(''));
        const whole = scan(framing(), bytes, undefined, max);
        expect(whole.reduce((sum, line) => sum + line.byteLength, 0)).toBe(bytes.length);
        expect(whole.map(({ lineNo }) => lineNo)).toEqual(whole.map((_, index) => index + 1));
        expect(scan(framing(), bytes, block, max)).toEqual(whole);

        const planner = new ChunkScanner(new RecordScanner(framing(), { firstLine: 1, maxLineBytes: 0 }), chunk);
        for (let at = 0; at < bytes.length; at += block) planner.feed(bytes.subarray(at, at + block));
        expect(planner.finish()).toEqual({ lines: whole.length, bytes: bytes.length });
        const byChunk = planner.ranges.flatMap(({ byteStart, byteEnd, firstLine }) =>
          scan(framing(), bytes.subarray(byteStart, byteEnd), block, max, firstLine),
        );
        expect(byChunk).toEqual(whole);
      }),
      { numRuns: 3_000 },
    );
  });

  it('hold every byte of random input', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), fc.integer({ min: 1, max: 100 }), (input, block) => {
        const bytes = Buffer.from(input);
        const lines = scan(framing(), bytes, block);
        expect(Buffer.concat(lines.map((line) => bytes.subarray(0, line.byteLength))).length).toBe(bytes.length);
        expect(lines).toEqual(scan(framing(), bytes));
      }),
    );
  });

  it('are counted without being kept where one has 50 MB', () => {
    const scanner = new RecordScanner(framing(), { firstLine: 1, maxLineBytes: 1_000 });
    const start = name === 'json' ? '{"a":"' : name === 'csv' ? '"' : '';
    const end = name === 'json' ? '"}{"b":1}' : name === 'csv' ? '"\nnext\n' : '\nnext\n';
    const lines = scanner.feed(Buffer.from(start));
    const block = Buffer.alloc(64 * 1024, 'x');
    for (let count = 0; count < 800; count++) lines.push(...scanner.feed(block));
    lines.push(...scanner.feed(Buffer.from(end)), ...scanner.finish());
    expect(lines.map(({ bytes }) => bytes?.toString())).toEqual([undefined, name === 'json' ? '{"b":1}' : 'next']);
    expect(lines[0]?.byteLength).toBeGreaterThan(50e6);
  });
});

describe('JSON values', () => {
  const good = '{"id":1,"s":"}{ \\" {","o":{"l":[{},[]]}}';

  it.each([
    ['without separators', `${good}${good}{}`, [good, good, '{}']],
    ['with white space, which belongs to the value before it', `\n${good}\n${good}\r\n\t`, [`\n${good}`, good]],
    ['behind something else', `oops${good},${good}`, ['oops', good, ',', good]],
    ['behind one that is cut in a string', `{"a":"cut${good}${good}`, ['{"a":"cut', good, good]],
    ['behind one that is cut before a value', `{"a":{"b":${good}${good}`, ['{"a":{"b":', good, good]],
    ['behind one that is cut behind a comma', `{"a":1,${good}${good}`, ['{"a":1,', good, good]],
    ['behind one that is cut, at the start of a line', `{"a":"cut\n${good}\n${good}`, ['{"a":"cut', good, good]],
    ['behind one that is cut, at the end of the file', `${good}{"a":"cut${good}`, [good, '{"a":"cut', good]],
    ['before one that is cut', `${good}{"a":"cut`, [good, '{"a":"cut']],
    ['behind one with a value that is none', `{"v":NaN,"o":{"k":1}}${good}`, ['{"v":NaN,"o":{"k":1}}', good]],
    [
      'behind one with a bare quote, whose objects are none',
      `{"s":"a "b" c","o":{"k":1},"l":[{"m":2}]}${good}`,
      ['{"s":"a "b" c","o":{"k":1},"l":[{"m":2}]}', good],
    ],
    ['behind brackets too many', `{"a":1}}}${good}`, ['{"a":1}', '}}', good]],
    ['in joined files with byte order marks', `\uFEFF${good}\uFEFF${good}`, [`\uFEFF${good}`, `\uFEFF${good}`]],
  ])('are found %s', (_, input, expected) => {
    expect(texts('json', input)).toEqual(expected);
  });

  it('are found whatever they hold and however they are written', () => {
    const written = fc.record({
      value: fc.jsonValue(),
      indent: fc.constantFrom(0, 2, '\t'),
      between: fc.constantFrom('', '\n', ' '),
    });
    fc.assert(
      fc.property(fc.array(written, { minLength: 1, maxLength: 5 }), (all) => {
        const values = all.map(({ value, indent }) => JSON.stringify({ value }, null, indent));
        const lines = scan(new JsonFraming(), Buffer.from(values.map((text, n) => text + all[n]?.between).join('')));
        expect(lines.map(({ bytes }) => bytes?.toString())).toEqual(values);
        expect(lines.some(({ isDamaged }) => isDamaged)).toBe(false);
      }),
    );
  });

  it('are found behind one that is nested too deep', () => {
    const deep = `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`;
    expect(texts('json', `${deep}${good}`)).toEqual([deep, good]);
  });

  it('are all found but the one that is cut, wherever it is cut', () => {
    const value = JSON.stringify({ id: 7, name: 'x y', tags: ['a', 'b'], n: { deep: [1, { er: true }] }, end: null });
    const next = JSON.stringify({ id: 8, name: 'next' });
    for (let length = 1; length < value.length; length++) {
      const found = texts('json', `${next}${value.slice(0, length)}${next}${next}`);
      expect(found.filter((text) => text === next).length, value.slice(0, length)).toBe(3);
    }
  });

  it('do not make garbage slow', () => {
    for (const garbage of [
      '{'.repeat(1e6),
      '{"a":'.repeat(2e5),
      '{"'.repeat(5e5),
      '{"a":{}'.repeat(2e5),
      '}{'.repeat(5e5),
    ]) {
      const lines = scan(new JsonFraming(), Buffer.from(garbage), 64 * 1024);
      expect(lines.reduce((sum, line) => sum + line.byteLength, 0)).toBe(garbage.length);
    }
  });
});

describe('CSV records', () => {
  it('are found whatever their fields hold', () => {
    const field = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', ' ', 'ü') });
    fc.assert(
      fc.property(fc.array(fc.array(field, { minLength: 1, maxLength: 4 }), { maxLength: 6 }), (rows) => {
        const texts = rows.map((row) => row.map((text) => `"${text.replaceAll('"', '""')}"`).join(','));
        const lines = scan(new CsvFraming(','), Buffer.from(texts.map((text) => `${text}\r\n`).join('')));
        expect(lines.map(({ bytes }) => bytes?.toString())).toEqual(texts);
        expect(lines.map(({ bytes }) => readCsvFields(String(bytes), ','))).toEqual(rows);
        expect(lines.some(({ isDamaged }) => isDamaged)).toBe(false);
      }),
    );
  });

  it.each([
    ['with quoted line ends, quotes and delimiters', 'a,"b\n""c"",",d\r\ne,f', ['a,"b\n""c"",",d', 'e,f']],
    ['with quotes inside a plain field', 'a,5" pipe\nb,c\n', ['a,5" pipe', 'b,c']],
    ['behind a quote that is never closed', 'a,"b\nc,d\ne,f\n', ['a,"b', 'c,d', 'e,f']],
    ['behind a quote that another record closes', 'a,"b\nc,"d"\ne,"f"\n', ['a,"b', 'c,"d"', 'e,"f"']],
    ['behind text after a closing quote', 'a,"b"x,c\nd,e\n', ['a,"b"x,c', 'd,e']],
  ])('are found %s', (_, input, expected) => {
    expect(texts('csv', input)).toEqual(expected);
  });

  it('are found behind a quote that stays open for more than a megabyte', () => {
    const rows = 'c,d\n'.repeat(500_000);
    const lines = scan(new CsvFraming(','), Buffer.from(`a,"b\n${rows}`), 64 * 1024);
    expect(lines.length).toBe(500_001);
  });

  it('do not make garbage slow', () => {
    for (const garbage of [
      '"\n'.repeat(5e5),
      ',"\n'.repeat(3e5),
      '"x\n'.repeat(3e5),
      '"a""\n'.repeat(2e5),
      '"'.repeat(1e6),
    ]) {
      const lines = scan(new CsvFraming(','), Buffer.from(garbage), 64 * 1024);
      expect(lines.reduce((sum, line) => sum + line.byteLength, 0)).toBe(garbage.length);
    }
  });
});
