/** What the books of a part say of its accepted lines. */
export interface PartBooks {
  inserted: number;
  duplicate_same_batch: number;
  duplicate_other_batch: number;
  duplicate_live: number;
}

const KINDS = ['duplicate_other_batch', 'duplicate_live', 'duplicate_same_batch', 'inserted'] as const;

/**
 * Takes lines out of a part's books: those that are known to be booked as something from there, the others from what
 * there is. Pure.
 *
 * @param lines how many accepted lines go
 * @param known how many of them are known to be booked as what
 * @returns what is to be subtracted; its sum is `lines`, unless the books have fewer
 */
export function amendPartCounts(books: PartBooks, lines: number, known: PartBooks): PartBooks {
  const taken: PartBooks = { inserted: 0, duplicate_same_batch: 0, duplicate_other_batch: 0, duplicate_live: 0 };
  let left = lines;
  const take = (kind: keyof PartBooks, most: number) => {
    const count = Math.max(0, Math.min(most, left, books[kind] - taken[kind]));
    taken[kind] += count;
    left -= count;
  };
  for (const kind of KINDS) take(kind, known[kind]);
  for (const kind of KINDS) take(kind, left);
  return taken;
}
