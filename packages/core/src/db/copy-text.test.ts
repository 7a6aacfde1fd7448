import { expect, it } from 'vitest';
import { copyPlainField, copyTextField, copyTextRow } from './copy-text.ts';

it('escapes what COPY would read as something else', () => {
  expect(copyTextRow(['a', null, '\\x', 'b\tc\nd\r', '', '\\N'])).toBe('a\t\\N\t\\\\x\tb\\tc\\nd\\r\t\t\\\\N\n');
});

it.each(['', 'plain', '{"a":"\\n\\\\"}', 'größe'])('writes text without line ends like any other: %s', (text) => {
  expect(copyPlainField(text)).toBe(copyTextField(text));
});
