import { StaleWorkError } from '@backfill/core/errors';
import { expect, it } from 'vitest';
import { orUnmeasured, orUnmeasuredOne } from './unmeasured-gate.ts';

it('lets pass on what is nothing against the query', async () => {
  const gone = new StaleWorkError('halted');
  await expect(orUnmeasured({ a: 0 }, () => Promise.reject(gone))).rejects.toBe(gone);
  const bug = new TypeError('x is undefined');
  await expect(orUnmeasuredOne('a', 0, () => Promise.reject(bug))).rejects.toBe(bug);
});

it('leaves out a gate that the plan has no threshold for', async () => {
  expect(await orUnmeasuredOne('a', undefined, () => Promise.reject(new Error('not called')))).toEqual([]);
});
