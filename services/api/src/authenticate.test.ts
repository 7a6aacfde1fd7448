import { expect, it } from 'vitest';
import { bearerToken } from './authenticate.ts';

it.each([
  ['Bearer abc', 'abc'],
  ['bearer abc', 'abc'],
  ['Bearer   abc', 'abc'],
  [undefined, undefined],
  ['', undefined],
  ['abc', undefined],
  ['Basic abc', undefined],
  ['Bearer', undefined],
  ['Bearer a b', undefined],
  ['Bearer ü', undefined],
  [`Bearer ${'a'.repeat(513)}`, undefined],
])('reads %j as token %j', (header, token) => {
  expect(bearerToken(header)).toBe(token);
});
