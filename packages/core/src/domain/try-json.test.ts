import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from './canonical-json.ts';
import type { JsonValue } from './json.ts';
import { isCanonicalJson, tryCanonicalJson, tryParseJson } from './try-json.ts';

const isCanonical = (text: string) => isCanonicalJson(text, tryParseJson(text) as JsonValue);

describe('isCanonicalJson', () => {
  it('takes exactly the canonical text of any value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const parsed = JSON.parse(JSON.stringify(value)) as JsonValue;
        expect(isCanonical(canonicalJson(parsed))).toBe(true);
        const text = JSON.stringify(parsed);
        expect(isCanonical(text)).toBe(tryCanonicalJson(parsed) === text);
      }),
    );
  });

  it.each([
    ['names in order', '{"a":{"x":[{"b":1,"c":2}]},"b":"\\\\ud800"}'],
    ['names that look like integers, in the order of text', '{"10":1,"9":2,"a":3}'],
    ['an emoji', '"😀"'],
  ])('takes %s', (_what, text) => {
    expect(isCanonical(text)).toBe(true);
  });

  it.each([
    ['names out of order', '{"b":1,"a":2}'],
    ['names out of order, deep', '{"a":[{"c":1,"b":2}]}'],
    ['names that look like integers, in the order of numbers', '{"9":2,"10":1}'],
    ['the same name twice', '{"a":1,"a":1}'],
    ['white space', '{"a": 1}'],
    ['a number in another form', '{"a":1.0}'],
    ['minus zero', '-0'],
    ['half of a surrogate pair', '"\\ud800"'],
    ['a number beyond all', '1e400'],
  ])('refuses %s', (_what, text) => {
    expect(isCanonical(text)).toBe(false);
  });
});
