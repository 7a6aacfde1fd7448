import { createSecretKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { cachedPseudonymise, keyCheck, keyVersionAt, pseudonym } from './pseudonym.ts';

const salt = createSecretKey(Buffer.from('salt'));
const other = createSecretKey(Buffer.from('pepper'));

describe('pseudonym', () => {
  it('is the first 16 bytes of HMAC-SHA-256 over domain, separator and id', () => {
    // printf 'user\x1f4711' | openssl dgst -sha256 -hmac salt -binary | head -c 16 | base64
    expect(pseudonym(salt, 1, 'user', '4711')).toBe('p1_l6_uegULE6elu08JP_IO0Q');
  });

  it('differs between keys, domains and ids', () => {
    const made = [
      pseudonym(salt, 1, 'user', 'a'),
      pseudonym(other, 1, 'user', 'a'),
      pseudonym(salt, 1, 'session', 'a'),
      pseudonym(salt, 1, 'user', 'b'),
    ];
    expect(new Set(made).size).toBe(4);
  });

  it('is the same from the cache, also after the cache was emptied', () => {
    const pseudonymise = cachedPseudonymise(salt);
    const first = pseudonymise('user', '0', 0);
    for (let id = 1; id <= 20_000; id++) pseudonymise('user', String(id), 0);
    expect(pseudonymise('user', '0', 0)).toBe(first);
    expect(first).toBe(pseudonym(salt, keyVersionAt(0), 'user', '0'));
  });
});

describe('keyCheck', () => {
  it('tells keys apart', () => {
    expect(keyCheck(salt)).toBe(keyCheck(createSecretKey(Buffer.from('salt'))));
    expect(keyCheck(salt)).not.toBe(keyCheck(other));
  });
});
