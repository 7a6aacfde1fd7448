import { createSecretKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { keyCheck, pseudonym, saltSuffixPseudonym } from './pseudonym.ts';

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
});

describe('saltSuffixPseudonym', () => {
  it('is SHA-256 of the id followed by the salt', () => {
    // printf 'jürgen4711salt' | sha256sum
    expect(saltSuffixPseudonym(Buffer.from('salt'), 'jürgen4711')).toBe(
      '4487a3149f96ba239af99d7fbf61535c306693d112e45d82a7548d0af77f7e90',
    );
  });
});

describe('keyCheck', () => {
  it('tells keys apart', () => {
    expect(keyCheck(salt)).toBe(keyCheck(createSecretKey(Buffer.from('salt'))));
    expect(keyCheck(salt)).not.toBe(keyCheck(other));
  });
});
