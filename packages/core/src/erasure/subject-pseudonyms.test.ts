import { expect, it } from 'vitest';
import { createKeyRing } from '../recipe/key-ring.ts';
import { pseudonym, saltSuffixPseudonym } from '../recipe/pseudonym.ts';
import { subjectPseudonyms, subjectScheme } from './subject-pseudonyms.ts';

const KEYS = createKeyRing(
  new Map([
    [1, Buffer.from('the first of two keys')],
    [3, Buffer.from('the second of two keys')],
  ]),
);
const key = (version: number) => KEYS.get(version) as never;

it('has every pseudonym of every key, mode and domain', () => {
  const schemes = [
    { mode: 'hmac' as const, domain: 'user' },
    { mode: 'hmac' as const, domain: 'account' },
    { mode: 'sha256-salt-suffix' as const, domain: 'user' },
  ];
  expect(subjectPseudonyms(schemes, KEYS, '4711', false)).toEqual(
    [
      pseudonym(key(1), 1, 'user', '4711'),
      pseudonym(key(3), 3, 'user', '4711'),
      pseudonym(key(1), 1, 'account', '4711'),
      pseudonym(key(3), 3, 'account', '4711'),
      saltSuffixPseudonym(Buffer.from('the first of two keys'), '4711'),
      saltSuffixPseudonym(Buffer.from('the second of two keys'), '4711'),
    ].sort(),
  );
});

it('keeps an id as it is only where that is stored already, or is a pseudonym', () => {
  const passing = [{ mode: 'passthrough' as const, domain: '' }];
  const standIns = [1, 3].map((version) => pseudonym(key(version), version, '', 'u-4711')).sort();
  expect(subjectPseudonyms(passing, KEYS, 'u-4711', false)).toEqual(standIns);
  expect(subjectPseudonyms(passing, KEYS, 'u-4711', true)).toEqual([...standIns, 'u-4711']);
  expect(subjectPseudonyms(passing, KEYS, 'jane@example.org', true)).toEqual([]);
  const made = pseudonym(key(1), 1, 'user', '4711');
  expect(subjectPseudonyms([], KEYS, made, false)).toEqual([made]);
});

it('is what a source says of its people', () => {
  const path = 'user.id';
  expect(subjectScheme({ pseudonym: 'hmac', mapping: {} })).toBeUndefined();
  expect(
    subjectScheme({ pseudonym: 'hmac', mapping: { subject_id: { path, pii: 'pseudonymise', domain: 'user' } } }),
  ).toEqual({ mode: 'hmac', domain: 'user' });
  expect(subjectScheme({ pseudonym: 'hmac', mapping: { subject_id: { path, pii: 'none' } } })).toEqual({
    mode: 'passthrough',
    domain: '',
  });
});
