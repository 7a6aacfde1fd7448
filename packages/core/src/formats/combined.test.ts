import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { combined } from './combined.ts';

const LINE =
  '192.0.2.7 - jane [17/May/2015:10:05:03 +0000] "GET /a?b=c HTTP/1.1" 200 203023 "http://example.org/x" "Mozilla/5.0 (X11)"';

const parse = combined.createParser(null, { exactIntegers: false, csv: {} });

function parsed(line: string): Record<string, unknown> | string {
  const result = parse(line, 1);
  return result.ok ? result.record : 'reason' in result ? result.reason : 'skipped';
}

describe('combined', () => {
  it('reads every field', () => {
    expect(parsed(LINE)).toEqual({
      remote_addr: '192.0.2.7',
      remote_user: 'jane',
      time: '17/May/2015:10:05:03 +0000',
      request: 'GET /a?b=c HTTP/1.1',
      method: 'GET',
      path: '/a?b=c',
      protocol: 'HTTP/1.1',
      status: 200,
      bytes: 203023,
      referer: 'http://example.org/x',
      user_agent: 'Mozilla/5.0 (X11)',
    });
  });

  it('reads a dash as null', () => {
    const line = '::1 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.0" 304 - "-" "-"';
    expect(parsed(line)).toMatchObject({
      remote_user: null,
      bytes: null,
      referer: null,
      user_agent: null,
    });
  });

  it('reads escaped quotes and backslashes, and leaves byte escapes as written', () => {
    const line = LINE.replace('Mozilla/5.0 (X11)', String.raw`a \"b\" \\ \x22 c\\`);
    expect(parsed(line)).toMatchObject({ user_agent: `${String.raw`a "b" \ \x22 c`}\\` });
  });

  it('keeps a line whose request is not HTTP, without method and path', () => {
    const record = parsed(LINE.replace('GET /a?b=c HTTP/1.1', String.raw`\x16\x03\x01`));
    expect(record).toMatchObject({ request: String.raw`\x16\x03\x01`, status: 200 });
    expect(record).not.toHaveProperty('method');
    expect(record).not.toHaveProperty('path');
  });

  it('accepts spaces in the user name and fields behind the agent', () => {
    expect(parsed(`${LINE.replace('jane', 'jane doe')} 0.003 "-"`)).toMatchObject({
      remote_user: 'jane doe',
      user_agent: 'Mozilla/5.0 (X11)',
    });
  });

  it.each([
    ['nothing', ''],
    ['another format', '{"a":1}'],
    ['a cut agent', LINE.slice(0, -1)],
    ['a cut referer', LINE.slice(0, LINE.indexOf('example'))],
    ['a cut request', LINE.slice(0, LINE.indexOf('HTTP'))],
    ['a cut time', LINE.slice(0, LINE.indexOf('+0000'))],
    ['a status that is no number', LINE.replace(' 200 ', ' ok ')],
    ['a size that is no number', LINE.replace(' 203023 ', ' many ')],
    ['the common format', LINE.slice(0, LINE.indexOf(' "http'))],
  ])('refuses %s', (_, line) => {
    expect(parsed(line)).toBe('not_combined_log');
  });

  it('never throws and never makes up text', () => {
    const noise = fc.array(fc.constantFrom(' ', '"', '\\', '[', ']', '-', 'a', '1', '] "', ' ['));
    fc.assert(
      fc.property(fc.array(noise), (pieces) => {
        const line = pieces.flat().join('');
        const result = parse(line, 1);
        if (result.ok) expect(line).toContain(result.record.remote_addr ?? '-');
      }),
    );
  });

  it('recognises samples of its own and no others', () => {
    expect(combined.detect(`${LINE}\n\n${LINE}\n192.0`)).toBe(true);
    expect(combined.detect(`${LINE}\n{"a":1}\n{"a":2}\n`)).toBe(false);
  });
});
