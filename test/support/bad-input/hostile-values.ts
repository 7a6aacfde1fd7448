import fc from 'fast-check';

/** Stands in every text of a valid record; no reason, error or ledger row may hold any of it. */
export const MARKER = 'Zq7xMarkerOfTheInput';

/** Lines that are longer are refused. */
export const MAX_LINE_BYTES = 30_000;

/** Texts that something on the way may stumble over. */
const NASTY_TEXTS = [
  ...[
    '',
    ' ',
    '-',
    '"',
    '""',
    '\\',
    '\\\\u0000',
    '\t',
    '\r',
    '\n',
    '\r\n',
    ',',
    ';',
    '|',
    '}{',
    '{"a":1}',
    '</script>',
  ],
  ...[
    '\u0000',
    'a\u0000b',
    '\ud800',
    '\udc00x',
    '\ud83d\ude00',
    '\ufeff',
    '\u2028\u2029',
    '\u0080',
    '\u00ad',
    'é',
    '＠',
  ],
  ...[
    '__proto__',
    'constructor',
    'NaN',
    'null',
    'true',
    '%00',
    '%ff',
    '%ud800',
    '%',
    '%5Cu0000',
    '\\N',
    '\\.',
    'ß'.repeat(60),
  ],
  ...['jane@example.org', '+49 151 23456789', '192.0.2.7', '::1', '2001:db8::7', 'x'.repeat(600), '\\'.repeat(99)],
];

/** JSON texts of values, also such that no `JSON.stringify` writes. */
const RAW_VALUES = [
  ...['null', 'true', '0', '-0', '1', '5', '-1', '0.5', '1.5', '1e2', '1E+2', '1e400', '-1e400', '1e-400', '5e-324'],
  ...[
    '9007199254740991',
    '9007199254740993',
    '123456789012345678901234567890',
    '0.1e1',
    '"\\ud800"',
    '"\\u0000"',
    '""',
  ],
  ...['[]', '{}', '[[[]]]', '{"__proto__":{"x":1}}', '["a","b"]', '["a",null,"\\udfff"]', '{"sku":"s","owner":"o"}'],
  ...['{"sku":"s","sku":"t"}', '"\\/\\b\\f"', '"\\ud83d\\ude00"', '[1e400]', '{"":1}', '["a","b","c","d","e"]'],
  // Deeper than any recursion gets, and than what the framing of JSON believes in.
  `${'['.repeat(12_000)}${']'.repeat(12_000)}`,
  `${'{"a":'.repeat(1_100)}1${'}'.repeat(1_100)}`,
  `${'{"a":'.repeat(300)}1${'}'.repeat(300)}`,
  `"${'x'.repeat(2 * MAX_LINE_BYTES)}"`,
];

/** What cannot even be read as JSON. */
const NO_VALUES = [
  '',
  'NaN',
  'Infinity',
  '+1',
  '01',
  '1.',
  '.5',
  '"\t"',
  '"\\x41"',
  "'a'",
  '[1,]',
  '{a:1}',
  '[',
  '"',
  '\u0000',
];

/** Times, in and out of the window of the test recipe, and what is none. */
export const TIMES = [
  ...['2026-03-14T15:09:26.535897Z', '2026-03-14T15:09:26+02:00', '2026-03-14 15:09:26Z', '2026-03-14T15:09:26,5Z'],
  ...[
    '2026-12-31T23:59:60Z',
    '2026-03-14T24:00:00Z',
    '2026-03-14T15:09:26',
    '2025-12-31T23:59:59.999Z',
    '0000-01-01T00:00:00Z',
  ],
  ...[
    '10000-01-01T00:00:00Z',
    '-001-01-01T00:00:00Z',
    '9999-12-31T23:59:59.999Z',
    '2026-02-30T00:00:00Z',
    'now',
    'NaN',
  ],
];

export const nastyText = fc.oneof(
  fc.constantFrom(...NASTY_TEXTS),
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.string({ maxLength: 30 }),
);

/** A value as JSON text, nearly always a valid one. */
export const rawJsonValue: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: nastyText.map((text) => JSON.stringify(text)) },
  { weight: 6, arbitrary: fc.constantFrom(...RAW_VALUES) },
  { weight: 2, arbitrary: fc.json({ maxDepth: 3 }) },
  { weight: 1, arbitrary: fc.double().map(String) },
  { weight: 1, arbitrary: fc.constantFrom(...NO_VALUES) },
);

/** Bytes that break lines, strings, records or characters apart. */
export const nastyBytes: fc.Arbitrary<Buffer> = fc.oneof(
  fc.constantFrom(...NASTY_TEXTS, ...RAW_VALUES, ...NO_VALUES).map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
  fc
    .constantFrom([0xff, 0xfe], [0xed, 0xa0, 0x80], [0xc0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0])
    .map((bytes) => Buffer.from(bytes)),
  fc
    .constantFrom('\n', '\r', '\n\n', '"', ',"', '}\n{', '#Fields: date x-y\n', ' [', '] "')
    .map((text) => Buffer.from(text)),
);
