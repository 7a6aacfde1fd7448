import { expect, it } from 'vitest';
import { forgetIds } from './forget-ids.ts';

it('takes ids out wherever they stand as words, and leaves the rest as it is', () => {
  const value = { examples: ['a:1 event_id', 'a:12 payload', { event_id: 'a:1', n: 1 }], why: null, ok: true };
  expect(forgetIds(value, new Set(['a:1']))).toEqual({
    examples: ['(erased) event_id', 'a:12 payload', { event_id: '(erased)', n: 1 }],
    ...{ why: null, ok: true },
  });
  expect(forgetIds(value, new Set(['a:3']))).toBe(value);
});
