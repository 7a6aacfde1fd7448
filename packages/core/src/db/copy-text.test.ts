import { expect, it } from 'vitest';
import { copyTextRow } from './copy-text.ts';

it('escapes what COPY would read as something else', () => {
  expect(copyTextRow(['a', null, '\\x', 'b\tc\nd\r', '', '\\N'])).toBe('a\t\\N\t\\\\x\tb\\tc\\nd\\r\t\t\\\\N\n');
});
