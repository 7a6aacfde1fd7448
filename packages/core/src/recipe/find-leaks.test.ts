import { expect, it } from 'vitest';
import { compileLeakFinder } from './find-leaks.ts';
import type { Recipe } from './recipe.ts';

const source = { source: 'app' } as Recipe['source'];
const find = compileLeakFinder({ source });
const inNote = (note: unknown) => find(JSON.stringify({ event_name: 'x', properties: { note } }));

it.each([
  ['email', 'write to jane.doe@example.org'],
  ['email', 'jane.doe%40example.org'],
  ['iban', 'DE89 3704 0044 0532 0130 00'],
  ['jwt', `eyJhbGciOiJIUzI1NiJ9.${Buffer.from('{"sub":"jane"}').toString('base64url')}.c2lnbmF0dXJl`],
  ['api-token', 'ghp_0123456789abcdefghijABCDEFGHIJ012345'],
  ['card', 'paid with 4111 1111 1111 1111'],
  ['ipv4', '198.51.100.23'],
  ['ipv6', 'from 2001:db8:1:2:3:4:5:6'],
])('finds %s in any text, and tells the place and never the value', (detector, text) => {
  expect(inNote(text)).toEqual([{ path: '/properties/note', detector }]);
  expect(inNote({ deep: ['x', text] })).toEqual([{ path: '/properties/note/deep/*', detector }]);
  expect(inNote({ [text]: 1 })).toEqual([{ path: '/properties/note/*', detector }]);
  expect(find(JSON.stringify({ subject_id: text, properties: {} }))).toEqual([{ path: '/subject_id', detector }]);
});

it('passes what the transformer leaves behind', () => {
  const kept = [
    ...['192.0.2.0', '2001:db8:1::', '198.51.100.0/24', '2001:db8:1::/48', '550e8400-e29b-41d4-a716-446655440000'],
    ...[
      '[email]',
      'token=[token]',
      'Chrome 120',
      'https://example.org/shop/12?utm_source=mail',
      '2026-11-01T10:00:00.000Z',
    ],
  ];
  for (const text of kept) expect([text, inNote(text)]).toEqual([text, []]);
});

it('takes no pseudonym for anything else, not even one that reads like an account number', () => {
  expect(find('{"subject_id":"p1_DE89370400440532013000"}')).toEqual([]);
  expect(find('{"subject_id":"id_DE89370400440532013000"}')).toEqual([{ path: '/subject_id', detector: 'iban' }]);
});

it('leaves out the detectors that the source leaves out', () => {
  const findSome = compileLeakFinder({ source: { ...source, pii: { detectors: ['email'] } } });
  expect(findSome('{"record_id":"4111111111111111"}')).toEqual([]);
  expect(findSome('{"record_id":"jane@example.org"}')).toEqual([{ path: '/record_id', detector: 'email' }]);
});

it('searches what is no JSON as it is', () => {
  expect(find('{"note": jane@example.org')).toEqual([{ path: '', detector: 'email' }]);
});
