import { createHmac, createSecretKey } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { compileHmac } from './hmac-sha256.ts';

it('is what Node makes of any key and text, one text after another', () => {
  const keys = fc.uint8Array({ minLength: 1, maxLength: 200 }).map((bytes) => createSecretKey(bytes));
  const texts = fc.array(fc.string({ unit: 'binary', maxLength: 900 }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(keys, texts, (key, each) => {
      const hmac = compileHmac(key);
      for (const text of each) {
        const expected = createHmac('sha256', key).update(text).digest('hex');
        expect(hmac(text).toString('hex')).toBe(expected);
      }
    }),
  );
});

it.each([0, 1, 63, 64, 65, 682, 683, 5_000])('is right for a text of %i long characters', (length) => {
  const key = createSecretKey(Buffer.alloc(32, 7));
  const text = '€'.repeat(length);
  expect(compileHmac(key)(text).equals(createHmac('sha256', key).update(text).digest())).toBe(true);
});
