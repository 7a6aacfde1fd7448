import { describe, expect, it } from 'vitest';
import { DETECTOR_NAMES } from '../../domain/detector-name.ts';
import { DETECTORS } from './detectors.ts';
import { compileIdentifierCheck, compileTextMask } from './mask-personal-data.ts';
import { mayHoldPersonalData } from './may-hold-personal-data.ts';

const mask = compileTextMask(DETECTOR_NAMES);

const FINDS: Record<string, [text: string, masked: string][]> = {
  'phone numbers': [
    ['call +49 151 23456789 now', 'call [phone] now'],
    ['+4915123456789', '[phone]'],
    ['+49 (0) 30 / 1234567', '[phone]'],
    ['0049-30-1234567', '[phone]'],
    ['Tel.0151 2345678', 'Tel.[phone]'],
    ['phone:(030) 1234567', 'phone:[phone]'],
    ['01 23 45 67 89', '[phone]'],
    ['+1 (555) 123-4567', '[phone]'],
    ['555-123-4567', '[phone]'],
    ['4915123456789', '[phone]'],
    ['%2B49%20151%2023456789', '[phone]'],
    ['＋４９１５１２３４５６７８９', '[phone]'],
    ['+49\u200b151\u200b23456789', '[phone]'],
  ],
  IBANs: [
    ['DE89370400440532013000', '[iban]'],
    ['to DE89 3704 0044 0532 0130 00 please', 'to [iban] please'],
    ['IBANde89370400440532013000,', 'IBAN[iban],'],
    ['GB29 NWBK 6016 1331 9268 19', '[iban]'],
    ['MT84MALT011000012345MTLCAST001S', '[iban]'],
    ['NO93-8601-1117-947', '[iban]'],
    ['DE89\u00a03704\u00a00044\u00a00532\u00a00130\u00a000', '[iban]'],
  ],
  cards: [
    ['4111111111111111', '[card]'],
    ['card 4111 1111 1111 1111 exp', 'card [card] exp'],
    ['3782-822463-10005', '[card]'],
    ['x5555555555554444y', 'x[card]y'],
    ['2 5555 5555 5555 4444', '2 [card]'],
    ['6304000000000000', '[card]'],
  ],
  tokens: [
    ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl', '[token]'],
    ['Authorization: Bearer abc123def456', 'Authorization: Bearer [token]'],
    ['basic amFuZTpwYXNz0g==', 'basic [token]'],
    ['ghp_0123456789abcdefghijABCDEFGHIJ012345', '[token]'],
    ['key AKIAIOSFODNN7EXAMPLE', 'key [token]'],
    ['sk-abcdefghijkl', '[token]'],
    ['sk_live_4eC39HqLyjWDarjtT1zdp7dc', '[token]'],
    ['password=hunter22', 'password=[token]'],
    ['{"api_key": "a-b-c-d-e"}', '{"api_key": "[token]"}'],
    ['of 0123456789abcdef0123456789abcdef', 'of [token]'],
  ],
  'German tax ids': [
    ['86095742719', '[tax-id]'],
    ['86 095 742 719', '[tax-id]'],
    ['id 47036892816.', 'id [tax-id].'],
    ['65929970489', '[tax-id]'],
  ],
  'German social security numbers': [
    ['15070649C103', '[social-security]'],
    ['15 070649 C 103', '[social-security]'],
    ['nr 15 070649 c 10 3!', 'nr [social-security]!'],
    ['65 180539 W 001', '[social-security]'],
  ],
};

describe.each(Object.entries(FINDS))('%s', (_, finds) => {
  it.each(finds)('%s', (text, masked) => {
    expect(mask(text)).toBe(masked);
  });
});

describe('what is left alone', () => {
  it.each([
    'on 01.11.2026 10:00:00',
    '2026-11-01T10:05:03.123Z',
    'DE89370400440532013001',
    'DE8937040044053201300',
    '4111111111111112',
    '1700000000000',
    '86095742718',
    '15070649C104',
    'basic features of a plan',
    'the bearer of news',
    'version 1.2.3 (build 20261101)',
    '1.234.567,89 EUR',
    'p1_l6_uegULE6elu08JP_IO0Q',
    'a-very-long-title-of-a-page-without-any-secret',
    '00000012345',
    'eyJ',
    '',
  ])('%s', (text) => {
    expect(mask(text)).toBe(text);
  });
});

describe('detectors', () => {
  it('are all registered, once, under the name that a source may give', () => {
    expect(DETECTORS.map(({ name }) => name)).toEqual(DETECTOR_NAMES);
  });

  it('are told apart, and only the named ones look', () => {
    const hits: string[] = [];
    mask('jane@example.org +4915123456789', (detector) => hits.push(detector));
    expect(hits).toEqual(['email', 'phone']);
    expect(compileTextMask(['phone'])('jane@example.org +4915123456789')).toBe('jane@example.org [phone]');
    expect(compileTextMask([])('jane@example.org 100%25')).toBe('jane@example.org 100%25');
  });

  it.each(Object.values(FINDS).flat())('have a hint for %s', (text, masked) => {
    expect(mayHoldPersonalData(text)).toBe(true);
    const found = DETECTORS.filter((detector) => detector.mask(text) !== text);
    for (const { hint } of found) expect(hint.test(text)).toBe(true);
    if (found.length === 0) expect(text === masked || text.includes('%') || /[^\0-\u02ff]/.test(text)).toBe(true);
  });
});

describe('identifiers', () => {
  const isPersonal = compileIdentifierCheck(DETECTOR_NAMES);

  it.each(['jane@example.org', '192.0.2.7', '4111111111111111', 'DE89370400440532013000', '+4915123456789'])(
    'are personal: %s',
    (id) => {
      expect(isPersonal(id)).toBe(true);
    },
  );

  it.each([
    '550e8400-e29b-41d4-a716-446655440000',
    '00000000-0123-4567-8912-345678901234',
    '0123456789abcdef0123456789abcdef',
    '86095742719',
    '1789012345678901234',
    's-1',
  ])('are not: %s', (id) => {
    expect(isPersonal(id)).toBe(false);
  });
});
