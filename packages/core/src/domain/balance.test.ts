import { expect, it } from 'vitest';
import { addBalances, type Balance, unaccountedLines } from './balance.ts';

const balance: Balance = {
  read: 10,
  inserted: 4,
  duplicate: 2,
  suppressed: 1,
  expired: 1,
  filtered: 1,
  quarantined: 1,
};

it('balances when every line has one outcome', () => {
  expect(unaccountedLines(balance)).toBe(0);
  expect(unaccountedLines(addBalances([balance, balance]))).toBe(0);
  expect(addBalances([balance, balance]).read).toBe(20);
});

it('shows a lost and a doubled line', () => {
  expect(unaccountedLines({ ...balance, inserted: 3 })).toBe(1);
  expect(unaccountedLines({ ...balance, inserted: 5 })).toBe(-1);
});
