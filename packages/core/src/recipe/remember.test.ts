import { describe, expect, it } from 'vitest';
import { remember } from './remember.ts';

describe('remember', () => {
  it('makes a result once, until it has forgotten it', () => {
    const made: string[] = [];
    const shout = remember(2, (text) => {
      made.push(text);
      return text.toUpperCase();
    });
    expect(['a', 'b', 'a', 'b', 'c', 'a'].map(shout)).toEqual(['A', 'B', 'A', 'B', 'C', 'A']);
    expect(made).toEqual(['a', 'b', 'c', 'a']);
  });

  it('tells texts apart that are not well-formed', () => {
    const length = remember(10, (text) => text.charCodeAt(0));
    expect(['\ud800', '\ud801', '\ufffd', '\ud800'].map(length)).toEqual([0xd800, 0xd801, 0xfffd, 0xd800]);
  });

  it('does not keep long texts', () => {
    let calls = 0;
    const count = remember(10, () => ++calls);
    const long = 'x'.repeat(513);
    expect([count(long), count(long)]).toEqual([1, 2]);
  });
});
