import { describe, expect, it } from 'vitest';
import type { CsvOptions, FormatName } from '../domain/format-name.ts';
import { createRecordScanner, detectFormat, sourceFormat } from './formats.ts';
import type { ParsedRecord } from './source-format.ts';

const ACCESS = '192.0.2.7 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 1 "-" "-"';
const CLOUDFRONT = '#Version: 1.0\n#Fields: date time c-ip sc-status\n2026-11-01\t10:00:00\t192.0.2.1\t200\n';
const CLOUDFRONT_JSON = '{"date":"2026-11-01","time":"10:00:00","x-edge-location":"FRA50-C1","sc-status":"200"}\n';

/** Reads a whole text as the plan and the transformer do together. */
function parseAll(name: FormatName, text: string, csv: CsvOptions = {}): ParsedRecord[] {
  const format = sourceFormat(name);
  const header = format.readHeader(text, { csv, isMapped: (column) => column !== 'other' });
  const scan = (given: typeof header) => {
    const scanner = createRecordScanner({ format: name, header: given }, { firstLine: 1, maxLineBytes: 10_000 });
    return [...scanner.feed(Buffer.from(text)), ...scanner.finish()];
  };
  const amended = scan(header).reduce((before, line) => format.amendHeader?.(before, line) ?? before, header);
  const parse = format.createParser(amended, { exactIntegers: false, csv });
  return scan(amended).map((line) => parse(String(line.bytes), line.lineNo));
}

const records = (results: ParsedRecord[]) =>
  results.map((result) => (result.ok ? result.record : 'reason' in result ? result.reason : 'skipped'));

describe('detectFormat', () => {
  it.each<[string, string, FormatName | undefined]>([
    ['objects on lines', '{"a":1}\n\n{"b":2}\n', 'ndjson'],
    ['one object', '{"a":1}', 'ndjson'],
    ['objects on lines, cut', '{"a":1}\n{"b":', 'ndjson'],
    ['a bad line first', 'oops\n{"a":1}\n{"b":2}\n', 'ndjson'],
    ['a byte order mark', '\uFEFF{"a":1}\n', 'ndjson'],
    ['objects without separators', '{"a":1}{"b":2}{"c', 'json-concat'],
    ['several objects on some lines', '{"a":1}\n{"b":2}{"c":3}\n', 'json-concat'],
    ['objects over several lines', '{\n  "a": 1\n}\n{\n  "b": 2\n}\n', 'json-concat'],
    ['an object that is longer than the head', `{"a":"${'x'.repeat(1_000)}`, 'json-concat'],
    ['an access log', `${ACCESS}\n${ACCESS}\n`, 'combined'],
    ['a legacy CloudFront log', CLOUDFRONT, 'cloudfront'],
    ['a CloudFront log without #Version', CLOUDFRONT.slice(CLOUDFRONT.indexOf('\n') + 1), 'cloudfront'],
    ['a CloudFront log as JSON', CLOUDFRONT_JSON, 'cloudfront-json'],
    ['CSV', 'id,name\n1,Jane\n2,"Doe,\nJohn"\n', 'csv'],
    ['CSV with semicolons and a comma in a value', 'id;name;at\n1;Doe, Jane;2\n', 'csv'],
    ['nothing but white space', ' \n\n', 'ndjson'],
    ['prose', 'Dear Sir,\nhow are you?\nYours\n', undefined],
    ['random bytes', '\u0000\uFFFDx,\uFFFD"\u0001', undefined],
    ['an array', '[{"a":1},{"b":2}]', undefined],
  ])('finds %s', (_, head, expected) => {
    expect(detectFormat(head)?.name).toBe(expected);
  });
});

describe('ndjson', () => {
  it('reads an object, of a repeated name the last', () => {
    expect(records(parseAll('ndjson', '{"a":1,"a":2}'))).toEqual([{ a: 2 }]);
  });

  it('keeps __proto__ as a field like any other', () => {
    const [result] = parseAll('ndjson', '{"__proto__":{"admin":true}}');
    expect(result?.ok && Object.keys(result.record)).toEqual(['__proto__']);
    expect(result?.ok && 'admin' in result.record).toBe(false);
  });

  it.each([
    ['{"a":', 'not_json'],
    ['{"name":"Jane Doe"} x', 'not_json'],
    ['[1]', 'not_a_json_object'],
    ['null', 'not_a_json_object'],
    ['"text"', 'not_a_json_object'],
  ])('refuses %s without quoting it', (line, reason) => {
    expect(records(parseAll('ndjson', line))).toEqual([reason]);
  });

  it('keeps nanoseconds whole where they are asked for', () => {
    const parse = sourceFormat('ndjson').createParser(null, { exactIntegers: true, csv: {} });
    expect(parse('{"at":1506702504433000200,"n":5,"x":1.5,"t":"1506702504433000200"}', 1)).toEqual({
      ok: true,
      record: { at: '1506702504433000200', n: 5, x: 1.5, t: '1506702504433000200' },
    });
  });

  it('reads what nests very deep, but not where nanoseconds are asked for', () => {
    const nested = (depth: number) => `{"s":"[[{{\\"[","deep":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`;
    const parse = (exactIntegers: boolean) => sourceFormat('ndjson').createParser(null, { exactIntegers, csv: {} });
    expect(parse(false)(nested(500_000), 1).ok).toBe(true);
    expect(parse(true)(nested(1_024), 1).ok).toBe(true);
    for (const depth of [1_025, 500_000]) {
      expect(parse(true)(nested(depth), 1)).toEqual({ ok: false, reason: 'nested_too_deep' });
    }
  });
});

describe('cloudfront', () => {
  it('reads values as they were, and joins date and time', () => {
    const text =
      '#Version: 1.0\n#Fields: date time c-ip sc-status cs(User-Agent) cs(Referer) time-taken cs-uri-query\n' +
      '2026-11-01\t10:00:01\t192.0.2.1\t200\tMozilla/5.0%20(X11)\t-\t0.012\t%ZZ\n' +
      '2026-11-01\t10:00:01\t192.0.2.1\n';
    expect(records(parseAll('cloudfront', text))).toEqual([
      'skipped',
      'skipped',
      {
        date: '2026-11-01',
        time: '10:00:01',
        timestamp: '2026-11-01T10:00:01Z',
        'c-ip': '192.0.2.1',
        'sc-status': 200,
        'cs(User-Agent)': 'Mozilla/5.0 (X11)',
        'time-taken': 0.012,
        'cs-uri-query': '%ZZ',
      },
      'wrong_field_count',
    ]);
  });

  it('follows the headers of files that were joined', () => {
    const text = '#Fields: date sc-status\n2026-11-01\t200\n#Fields: sc-status date\n404\t2026-11-02\n';
    expect(records(parseAll('cloudfront', text))).toEqual([
      'skipped',
      { date: '2026-11-01', 'sc-status': 200 },
      'skipped',
      { date: '2026-11-02', 'sc-status': 404 },
    ]);
  });

  it('makes up no fields for a file that names none', () => {
    expect(records(parseAll('cloudfront', `${ACCESS}\n`))).toEqual(['no_fields_header']);
  });

  it('gives the same record from JSON', () => {
    const own = '{"date":"2026-11-01","time":"10:00:01","sc-status":"200","cs(Referer)":"-","cs(User-Agent)":"a%20b"}';
    expect(records(parseAll('cloudfront-json', own))).toEqual([
      {
        date: '2026-11-01',
        time: '10:00:01',
        timestamp: '2026-11-01T10:00:01Z',
        'sc-status': 200,
        'cs(User-Agent)': 'a b',
      },
    ]);
  });
});

describe('csv', () => {
  it('reads quoted line ends, quotes and delimiters, nulls, and levels of names', () => {
    const text = 'id,user.id,note\r\n1,u1,"a ""b"",\nc"\r\n2,,""\n';
    expect(records(parseAll('csv', text))).toEqual([
      'skipped',
      { id: '1', user: { id: 'u1' }, note: 'a "b",\nc' },
      { id: '2', user: { id: null }, note: '' },
    ]);
  });

  it('reads columns by their types', () => {
    const types = { n: 'number', ok: 'boolean', props: 'json' } as const;
    const text = 'n|ok|props\n1.5|TRUE|"{""a"":[1]}"\n|f|\nx|t|1\n12345678901234567890|t|1\n1|maybe|1\n1|t|{\n';
    expect(records(parseAll('csv', text, { types }))).toEqual([
      'skipped',
      { n: 1.5, ok: true, props: { a: [1] } },
      { n: null, ok: false, props: null },
      'wrong_column_type',
      { n: '12345678901234567890', ok: true, props: 1 },
      'wrong_column_type',
      'wrong_column_type',
    ]);
  });

  it('takes the columns from the source where there is no header row', () => {
    const csv = { delimiter: '|', columns: ['id', 'name'] };
    expect(records(parseAll('csv', '1|a,b\n2|c\n', csv))).toEqual([
      { id: '1', name: 'a,b' },
      { id: '2', name: 'c' },
    ]);
  });

  it('skips a header row that comes again, and counts what is wrong', () => {
    expect(records(parseAll('csv', 'a,b\n1,2\na,b\n1,2,3\n1\n1,"2" x\n1,2"\n'))).toEqual([
      'skipped',
      { a: '1', b: '2' },
      'skipped',
      'wrong_field_count',
      'wrong_field_count',
      'not_csv',
      'not_csv',
    ]);
  });

  it('pins no name that the mapping does not read', () => {
    const header = sourceFormat('csv').readHeader('jane@example.org,2\n', { csv: {}, isMapped: () => false });
    expect(JSON.stringify(header)).not.toContain('jane');
    expect(records(parseAll('csv', 'id,other\n1,2\n'))).toEqual(['skipped', { id: '1', column_2: '2' }]);
  });

  it('never reads a field that every object has', () => {
    const [, result] = parseAll('csv', 'id,__proto__,constructor.name\n1,2,3\n');
    expect(result).toEqual({ ok: true, record: { id: '1' } });
  });
});
