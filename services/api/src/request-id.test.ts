import { expect, it } from 'vitest';
import { chooseRequestId } from './request-id.ts';

const idFor = (given: string | string[] | undefined) =>
  chooseRequestId({ headers: given === undefined ? {} : { 'x-request-id': given as string } });

const NEW = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

it.each(['0b9f5f4e-6d0a-4a53-9c1e-2f3f6a0c7d11', '4bf92f3577b34da6a3ce929d0e0e4736'])('keeps %s', (given) => {
  expect(idFor(given)).toBe(given);
  expect(idFor(given.toUpperCase())).toBe(given);
});

it.each([undefined, '', 'ada@example.org', 'req-1', '4bf92f3577b34da6a3ce929d0e0e473', 'x'.repeat(10_000)])(
  'makes an id of its own instead of %j',
  (given) => {
    expect(idFor(given)).toMatch(NEW);
    expect(idFor(given)).not.toBe(idFor(given));
  },
);

it('makes an id of its own instead of several', () => {
  expect(idFor(['0b9f5f4e-6d0a-4a53-9c1e-2f3f6a0c7d11', '0b9f5f4e-6d0a-4a53-9c1e-2f3f6a0c7d12'])).toMatch(NEW);
});
