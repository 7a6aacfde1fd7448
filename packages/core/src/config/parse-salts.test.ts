import { describe, expect, it } from 'vitest';
import { parseSalts } from './parse-salts.ts';

const plain = (text: string) => Object.fromEntries([...parseSalts(text)].map(([version, key]) => [version, `${key}`]));

describe('parseSalts', () => {
  it('takes a single secret as version 1', () => {
    expect(plain(' s3cret/with=signs \n')).toEqual({ 1: 's3cret/with=signs' });
    expect(plain('word: not a version')).toEqual({ 1: 'word: not a version' });
  });

  it('takes lines and a map', () => {
    expect(plain('# rotated in July\n1: old\n\n2:new secret\r\n')).toEqual({ 1: 'old', 2: 'new secret' });
    expect(plain('{"1": "old", "12": "new"}')).toEqual({ 1: 'old', 12: 'new' });
  });

  it('refuses halves, and does not quote them', () => {
    for (const text of ['1: old\npepper', '1: a\n1: pepper', '{"1": "pepper"', '{"x": "pepper"}', '{"1": 5}']) {
      expect(() => parseSalts(text)).toThrow(RangeError);
      expect(() => parseSalts(text)).not.toThrow(/pepper/);
    }
  });
});
