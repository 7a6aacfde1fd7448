import { describe, expect, it } from 'vitest';
import type { PseudonymMode } from '../config/source.ts';
import { DETECTOR_NAMES } from '../domain/detector-name.ts';
import { compileIdentifierCheck } from './detectors/mask-personal-data.ts';
import { createKeyRing, type KeyPeriod, type KeyRing } from './key-ring.ts';
import { pseudonym, saltSuffixPseudonym } from './pseudonym.ts';
import { compilePseudonymise, type Pseudonymise } from './pseudonymise.ts';
import { TEST_KEYS, TEST_SALT } from './recipe-fixture.ts';

const ALWAYS = [{ version: 1, fromMs: null }];
const TWO_KEYS = createKeyRing(
  new Map([
    [1, Buffer.from('the first of two keys')],
    [2, Buffer.from('the second of two keys')],
  ]),
);
const ROTATED = [...ALWAYS, { version: 2, fromMs: 1_000 }];

function compile(mode: PseudonymMode, periods: KeyPeriod[], keys: KeyRing): Pseudonymise {
  return compilePseudonymise(mode, { periods, keys, isPersonalIdentifier: compileIdentifierCheck(DETECTOR_NAMES) });
}

describe('hmac', () => {
  it('is the same from the cache, also after the cache was emptied', () => {
    const pseudonymise = compile('hmac', ALWAYS, TEST_KEYS);
    const first = pseudonymise('user', '0', 0);
    for (let id = 1; id <= 20_000; id++) pseudonymise('user', String(id), 0);
    expect(pseudonymise('user', '0', 0)).toBe(first);
    expect(first).toBe(pseudonym(TEST_SALT, 1, 'user', '0'));
  });

  it("takes the key of the event's time, so that a rotation does not change old ids", () => {
    const pseudonymise = compile('hmac', ROTATED, TWO_KEYS);
    const before = compile('hmac', ALWAYS, TWO_KEYS)('user', 'a', 999);
    expect(pseudonymise('user', 'a', 999)).toBe(before);
    expect(pseudonymise('user', 'a', 1_000)).toMatch(/^p2_/);
    expect(pseudonymise('user', 'a', 999)).toBe(before);
  });

  it('stops without the key of a time', () => {
    const pseudonymise = compile('hmac', ROTATED, TEST_KEYS);
    expect(() => pseudonymise('user', 'a', 1_000)).toThrow(/no key version 2/);
  });
});

describe('sha256-salt-suffix', () => {
  it('knows neither domain nor version, to equal what exists', () => {
    const pseudonymise = compile('sha256-salt-suffix', ROTATED, TWO_KEYS);
    const first = saltSuffixPseudonym(Buffer.from('the first of two keys'), '4711');
    expect([pseudonymise('user', '4711', 0), pseudonymise('session', '4711', 0)]).toEqual([first, first]);
    expect(pseudonymise('user', '4711', 1_000)).toBe(
      saltSuffixPseudonym(Buffer.from('the second of two keys'), '4711'),
    );
  });
});

describe('passthrough', () => {
  it('keeps pseudonyms and nothing that is none', () => {
    const pseudonymise = compile('passthrough', ALWAYS, new Map());
    expect(pseudonymise('user', 'p1_l6_uegULE6elu08JP_IO0Q', 0)).toBe('p1_l6_uegULE6elu08JP_IO0Q');
    for (const raw of ['jane@example.org', 'Jane Doe', '192.0.2.7', 'a"b', 'x'.repeat(129)]) {
      expect(pseudonymise('user', raw, 0)).toBeUndefined();
    }
  });
});
