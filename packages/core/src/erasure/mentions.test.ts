import { expect, it } from 'vitest';
import { compileMentions } from './mentions.ts';

it.each([
  ['4711', 'id=4711;', true],
  ['4711', '4711', true],
  ['4711', 'id=47110', false],
  ['4711', 'a4711 4711b', false],
  ['4711', 'a4711 "4711"', true],
  ['Jür gen', 'x=J%C3%BCr%20gen', true],
  ['Jürgen', '{"name":"J\\u00fcrgen', true],
  ['a"b', '{"id":"a\\"b', true],
  ['Jürgen', 'Jürgens', false],
])('finds %s in %s: %s', (id, text, isThere) => {
  expect(compileMentions(id)(Buffer.from(text))).toBe(isThere);
});
