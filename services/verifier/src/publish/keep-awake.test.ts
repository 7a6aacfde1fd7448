import type { Queryable } from '@backfill/core/db/pool';
import { expect, it } from 'vitest';
import { keepAwake } from './keep-awake.ts';

it('asks the server something until the other work is over, also when that fails', async () => {
  let asked = 0;
  const { promise, reject } = Promise.withResolvers<void>();
  const query = async () => {
    asked += 1;
    if (asked === 3) reject(new Error('the other work failed'));
  };
  await keepAwake({ query } as unknown as Queryable, promise, 1);
  expect(asked).toBe(3);
});

it('asks nothing when the other work is over already', async () => {
  const query = () => {
    throw new Error('asked for nothing');
  };
  await keepAwake({ query } as unknown as Queryable, Promise.resolve());
});

it('fails when the server has ended the session', async () => {
  const query = () => Promise.reject(new Error('terminating connection'));
  const never = new Promise(() => undefined);
  await expect(keepAwake({ query } as unknown as Queryable, never, 1)).rejects.toThrow('terminating connection');
});
