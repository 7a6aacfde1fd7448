import { hash } from 'node:crypto';

/** A source of numbers that look random and are the same for the same seed, everywhere. */
export interface Random {
  /** An integer in `[0, below)`. */
  int(below: number): number;
  /** True in this share of the calls. */
  chance(share: number): boolean;
  pick<Item>(items: readonly Item[]): Item;
  /** So many lower-case letters and digits. */
  token(length: number): string;
}

const TOKEN_CHARACTERS = 'abcdefghijklmnopqrstuvwxyz0123456789';
const WARM_UP_ROUNDS = 12;

/** Chris Doty-Humphrey's sfc32, seeded with the sha256 of the seed's text. */
export function createRandom(seed: string): Random {
  const digest = hash('sha256', seed, 'buffer');
  let a = digest.readInt32LE(0);
  let b = digest.readInt32LE(4);
  let c = digest.readInt32LE(8);
  let counter = 1;
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 2 ** 32;
  };
  for (let round = 0; round < WARM_UP_ROUNDS; round++) next();
  const int = (below: number): number => Math.floor(next() * below);
  return {
    int,
    chance: (share) => next() < share,
    pick: (items) => {
      const item = items[int(items.length)];
      if (item === undefined) throw new RangeError('nothing to pick from');
      return item;
    },
    token: (length) => {
      let token = '';
      while (token.length < length) token += TOKEN_CHARACTERS[int(TOKEN_CHARACTERS.length)];
      return token;
    },
  };
}
