import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DETECTOR_NAMES } from '../../domain/detector-name.ts';
import { compileTextMask, hasPersonalData } from './mask-personal-data.ts';

const maskPersonalData = compileTextMask(DETECTOR_NAMES);

describe('e-mail addresses', () => {
  it.each([
    ['write to jane.doe@example.org.', 'write to [email].'],
    ['JANE+tag@sub.Example.co.uk', '[email]'],
    ["o'brien_1@example.org", '[email]'],
    ['"Jane Doe" <jane@example.org>', '"Jane Doe" <[email]>'],
    ['"jane doe"@example.org', '[email]'],
    ['jürgen@bücher.example', '[email]'],
    ['jane＠example.org', '[email]'],
    ['jane%40example.org', '[email]'],
    ['mail=jane%2540example.org&x=1', 'mail=[email]&x=1'],
    ['jane@[192.0.2.7]', '[email]'],
    ['a@example.org,b@example.org', '[email],[email]'],
    ['jane@example.org@example.com', '[email]@example.com'],
  ])('masks %s', (text, masked) => {
    expect(maskPersonalData(text)).toBe(masked);
  });

  it.each(['@', 'a@', '@b.c', 'me @ home', '50 @ 3.20', 'see @jane'])('leaves %s', (text) => {
    expect(maskPersonalData(text)).toBe(text);
  });
});

describe('IP addresses', () => {
  it.each([
    ['from 192.0.2.7.', 'from [ip].'],
    ['192.0.2.7:443', '[ip]:443'],
    ['192.0.2.7.443', '[ip].443'],
    ['v10.0.0.1', 'v[ip]'],
    ['010.001.002.003', '[ip]'],
    ['2001:db8::7', '[ip]'],
    ['[2001:DB8:0:0:0:0:0:7]:443', '[[ip]]:443'],
    ['ip:2001:db8::7, next', 'ip:[ip], next'],
    ['2001:db8::7: unreachable', '[ip]: unreachable'],
    ['fe80::1%eth0', '[ip]%eth0'],
    ['::ffff:192.0.2.7', '[ip]'],
    ['2001%3Adb8%3A%3A7', '[ip]'],
  ])('masks %s', (text, masked) => {
    expect(maskPersonalData(text)).toBe(masked);
  });

  it.each([
    '1.2.3',
    '32.0.1700.77',
    '256.1.1.1 ',
    '10:05:03',
    '00:1a:2b:3c:4d:5e',
    'std::vector',
    '::',
    'a::',
    '::1',
    'Foo::Bar',
  ])('leaves %s', (text) => {
    expect(maskPersonalData(text)).toBe(text);
  });
});

describe('any text', () => {
  const planted = fc.oneof(fc.ipV4(), fc.ipV6(), fc.constantFrom('jane@example.org', 'a.b%40c.example'));
  const between = fc.array(fc.constantFrom(' ', ', ', '\n', '; ', ' (', '" '), { minLength: 1 });

  it('is free of what was planted in it', () => {
    fc.assert(
      fc.property(fc.lorem(), planted, between, fc.lorem(), (before, secret, space, after) => {
        const gap = space.join('');
        fc.pre(!/^[0-9a-f]*::[0-9a-f]*$/i.test(secret));
        expect(maskPersonalData(before + gap + secret + gap + after)).not.toContain(secret);
      }),
    );
  });

  it('is not changed a second time', () => {
    const pieces = fc.array(
      fc.constantFrom('a', '1', '192.0.2.7', '@', '%40', '.', ':', '::', 'example.org', ' ', 'ff', '[', ']'),
    );
    fc.assert(
      fc.property(pieces, (parts) => {
        const masked = maskPersonalData(parts.join(''));
        expect(maskPersonalData(masked)).toBe(masked);
        expect(hasPersonalData(masked)).toBe(false);
      }),
    );
  });

  it('keeps surrogate pairs whole', () => {
    const pieces = fc.array(fc.constantFrom('😀', 'é', 'a', '"', '@', '.', '@a.b', ' '), {
      maxLength: 200,
    });
    fc.assert(
      fc.property(pieces, (parts) => {
        expect(maskPersonalData(parts.join('')).isWellFormed()).toBe(true);
      }),
    );
    const long = `${'😀'.repeat(40)}@example.org`;
    expect(maskPersonalData(`a${long}`).isWellFormed()).toBe(true);
    expect(maskPersonalData(`${long}`).isWellFormed()).toBe(true);
  });

  it('takes one pass, however hostile', () => {
    const size = 200_000;
    const texts = ['@', 'a@', 'a.', '1.', '1:', ':', '::', '%', '%40', '%25', 'a@a.', '"@', '1.1.1.'];
    for (const text of texts) {
      const long = text.repeat(size / text.length);
      expect(typeof maskPersonalData(long)).toBe('string');
    }
  });
});
