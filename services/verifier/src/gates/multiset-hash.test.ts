import { describe, expect, it } from 'vitest';
import { MultisetHash } from './multiset-hash.ts';

function areEqual(first: string[], second: string[]): boolean {
  const pair = MultisetHash.pair();
  for (const text of first) pair.first.add(text);
  for (const text of second) pair.second.add(text);
  return pair.first.equals(pair.second);
}

describe('MultisetHash', () => {
  it('is equal for the same texts in any order', () => {
    expect(areEqual(['a', 'b', 'b', 'c'], ['b', 'c', 'a', 'b'])).toBe(true);
    expect(areEqual([], [])).toBe(true);
  });

  it.each([
    ['another text', ['a', 'b'], ['a', 'c']],
    ['a text more', ['a'], ['a', 'b']],
    ['one text twice and another not', ['a', 'a', 'b'], ['a', 'b', 'b']],
    ['texts that are cut elsewhere', ['ab', 'c'], ['a', 'bc']],
  ])('differs by %s', (_, first, second) => {
    expect(areEqual(first, second)).toBe(false);
  });
});
