/** How a raw line can end. Every line ends in exactly one of these. */
export const OUTCOMES = ['inserted', 'duplicate', 'suppressed', 'expired', 'filtered', 'quarantined'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** Lines by outcome. `read` is their sum, or the books do not balance. */
export type Balance = { read: number } & Record<Outcome, number>;

/** Lines read that no outcome accounts for (negative: accounted for twice). 0 when the books balance. */
export function unaccountedLines(balance: Balance): number {
  return balance.read - OUTCOMES.reduce((sum, outcome) => sum + balance[outcome], 0);
}

/** Sum of balances, for a batch from its files. */
export function addBalances(balances: Iterable<Balance>): Balance {
  const total: Balance = {
    read: 0,
    inserted: 0,
    duplicate: 0,
    suppressed: 0,
    expired: 0,
    filtered: 0,
    quarantined: 0,
  };
  for (const balance of balances) {
    total.read += balance.read;
    for (const outcome of OUTCOMES) total[outcome] += balance[outcome];
  }
  return total;
}
