import { expect, it } from 'vitest';
import { basicPassword, bearerToken } from './authenticate.ts';

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

const basic = (credentials: string) => `Basic ${Buffer.from(credentials, 'utf8').toString('base64')}`;

it.each([
  [basic('operator:abc'), 'abc'],
  [basic(':abc'), 'abc'],
  [basic('operator:a:c'), 'a:c'],
  [basic('operator:'), undefined],
  [basic('operator'), undefined],
  [basic('operator:a b'), undefined],
  [basic(`operator:${'a'.repeat(513)}`), undefined],
  ['Basic ', undefined],
  ['Basic *', undefined],
  ['Bearer abc', undefined],
  [undefined, undefined],
])('reads the password of %j as %j', (header, password) => {
  expect(basicPassword(header)).toBe(password);
});
