import { describe, expect, it } from 'vitest';
import { detectFormat, recordFormat } from './formats.ts';
import { ndjson } from './ndjson.ts';

describe('ndjson', () => {
  it('reads an object', () => {
    expect(ndjson.parse('{"a":1,"a":2}')).toEqual({ ok: true, record: { a: 2 } });
  });

  it('keeps __proto__ as a field like any other', () => {
    const result = ndjson.parse('{"__proto__":{"admin":true}}');
    expect(result.ok && Object.keys(result.record)).toEqual(['__proto__']);
    expect(result.ok && 'admin' in result.record).toBe(false);
  });

  it.each([
    ['{"a":', 'not_json'],
    ['{"name":"Jane Doe"} x', 'not_json'],
    ['[1]', 'not_a_json_object'],
    ['null', 'not_a_json_object'],
    ['"text"', 'not_a_json_object'],
  ])('refuses %s without quoting it', (line, reason) => {
    expect(ndjson.parse(line)).toEqual({ ok: false, reason });
  });
});

describe('detectFormat', () => {
  it('finds the format of the samples', () => {
    const access = '192.0.2.7 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 1 "-" "-"';
    expect(detectFormat(['{"a":1}', '', '{"b":2}'])).toBe(recordFormat('ndjson'));
    expect(detectFormat([access])).toBe(recordFormat('combined'));
    expect(detectFormat(['a,b', 'c,d'])).toBeUndefined();
    expect(detectFormat(['', ' '])).toBeUndefined();
  });
});
