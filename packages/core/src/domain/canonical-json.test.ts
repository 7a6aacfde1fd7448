import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from './canonical-json.ts';
import type { JsonValue } from './json.ts';

/** The number with these bits, as hexadecimal digits. */
const ieee754 = (bits: string) => Buffer.from(bits, 'hex').readDoubleBE();

describe('canonicalJson', () => {
  it('writes the example of RFC 8785, section 3.2.2', () => {
    const value = JSON.parse(
      String.raw`{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}`,
    );
    expect(canonicalJson(value)).toBe(
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    );
  });

  it('gives the bytes of RFC 8785, section 3.2.4', () => {
    const value = {
      numbers: [333333333.3333333, 1e30, 4.5, 0.002, 1e-27],
      string: '€$\u000f\nA\'B"\\\\"/',
      literals: [null, true, false],
    };
    expect(Buffer.from(canonicalJson(value)).toString('hex')).toBe(
      [
        '7b226c69746572616c73223a5b6e756c6c2c747275652c66616c73655d2c226e756d62657273223a5b33333333333333',
        '33332e333333333333332c31652b33302c342e352c302e3030322c31652d32375d2c22737472696e67223a22e282ac24',
        '5c75303030665c6e4127425c225c5c5c5c5c222f227d',
      ].join(''),
    );
  });

  it('sorts names by UTF-16 code units (RFC 8785, section 3.2.3)', () => {
    const value: JsonValue = {
      '\u20ac': 'Euro Sign',
      '\r': 'Carriage Return',
      '\ufb33': 'Hebrew Letter Dalet With Dagesh',
      '1': 'One',
      '\ud83d\ude00': 'Emoji: Grinning Face',
      '\u0080': 'Control',
      '\u00f6': 'Latin Small Letter O With Diaeresis',
    };
    // As text: JSON.parse would put the name that looks like an integer first.
    expect(canonicalJson(value)).toBe(
      String.raw`{"\r":"Carriage Return","1":"One","` +
        '\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis","\u20ac":"Euro Sign",' +
        '"\ud83d\ude00":"Emoji: Grinning Face","\ufb33":"Hebrew Letter Dalet With Dagesh"}',
    );
  });

  it.each([
    ['0000000000000000', '0'],
    ['8000000000000000', '0'],
    ['0000000000000001', '5e-324'],
    ['8000000000000001', '-5e-324'],
    ['7fefffffffffffff', '1.7976931348623157e+308'],
    ['ffefffffffffffff', '-1.7976931348623157e+308'],
    ['4340000000000000', '9007199254740992'],
    ['c340000000000000', '-9007199254740992'],
    ['4430000000000000', '295147905179352830000'],
    ['44b52d02c7e14af5', '9.999999999999997e+22'],
    ['44b52d02c7e14af6', '1e+23'],
    ['44b52d02c7e14af7', '1.0000000000000001e+23'],
    ['444b1ae4d6e2ef4e', '999999999999999700000'],
    ['444b1ae4d6e2ef4f', '999999999999999900000'],
    ['444b1ae4d6e2ef50', '1e+21'],
    ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
    ['3eb0c6f7a0b5ed8d', '0.000001'],
    ['41b3de4355555553', '333333333.3333332'],
    ['41b3de4355555554', '333333333.33333325'],
    ['41b3de4355555555', '333333333.3333333'],
    ['41b3de4355555556', '333333333.3333334'],
    ['41b3de4355555557', '333333333.33333343'],
    ['becbf647612f3696', '-0.0000033333333333333333'],
    ['43143ff3c1cb0959', '1424953923781206.2'],
  ])('writes the IEEE 754 number %s as %s (RFC 8785, appendix B)', (bits, text) => {
    expect(canonicalJson(ieee754(bits))).toBe(text);
  });

  it.each(['7fffffffffffffff', '7ff0000000000000', 'fff0000000000000'])(
    'refuses the IEEE 754 number %s (RFC 8785, appendix B)',
    (bits) => {
      expect(() => canonicalJson(ieee754(bits))).toThrow(TypeError);
    },
  );

  it('writes any finite number as another implementation does, and so that it comes back', () => {
    const bits = fc
      .bigInt({ min: 0n, max: 2n ** 64n - 1n })
      .map((value) => ieee754(value.toString(16).padStart(16, '0')));
    fc.assert(
      fc.property(bits.filter(Number.isFinite), (number) => {
        const text = canonicalJson(number);
        expect(text).toBe(canonicalize(number));
        expect(Number(text)).toBe(number === 0 ? 0 : number);
      }),
      { numRuns: 2_000 },
    );
  });

  it('escapes what must be escaped, the short way where there is one, and nothing else (RFC 8785, section 3.2.2.2)', () => {
    const short: Record<string, string> = {
      '\b': 'b',
      '\t': 't',
      '\n': 'n',
      '\f': 'f',
      '\r': 'r',
      '"': '"',
      '\\': '\\',
    };
    for (let code = 0; code < 0x10000; code++) {
      if (code >= 0xd800 && code <= 0xdfff) continue;
      const sign = String.fromCharCode(code);
      const long = code < 0x20 ? `\\u${code.toString(16).padStart(4, '0')}` : sign;
      const escaped = sign in short ? `\\${short[sign]}` : long;
      if (canonicalJson(sign) !== `"${escaped}"`) expect([code, canonicalJson(sign)]).toEqual([code, `"${escaped}"`]);
    }
  });

  it('agrees with another implementation on any JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
        expect(canonicalJson(value as JsonValue)).toBe(canonicalize(value));
      }),
    );
  });

  it('gives the same text for the text it gave', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value as JsonValue);
        expect(canonicalJson(JSON.parse(text))).toBe(text);
      }),
    );
  });

  it.each([
    ['infinity', Number.POSITIVE_INFINITY],
    ['not a number', Number.NaN],
    ['a lone surrogate', 'a\ud800'],
    ['a lone surrogate in a name', { '\udc00': 1 }],
    ['undefined', undefined as unknown as JsonValue],
  ])('refuses %s', (_, value) => {
    expect(() => canonicalJson([value] as JsonValue)).toThrow(TypeError);
  });
});
