import fc from 'fast-check';
import { nastyBytes } from './hostile-values.ts';

/** Changes a file's bytes, as accidents and attackers do. */
export type Damage = (bytes: Buffer) => Buffer;

/** Places are shares of the file's length, so that they fit every file. */
const place = fc.double({ min: 0, max: 1, noNaN: true });
const at = (bytes: Buffer, share: number) => Math.min(bytes.length, Math.floor(share * (bytes.length + 1)));

function range(bytes: Buffer, one: number, other: number): [start: number, end: number] {
  const [start = 0, end = 0] = [at(bytes, one), at(bytes, other)].sort((a, b) => a - b);
  return [start, end];
}

const flip = fc.tuple(place, fc.integer({ min: 0, max: 7 })).map(
  ([share, bit]): Damage =>
    (bytes) => {
      const flipped = Buffer.from(bytes);
      const index = Math.min(bytes.length - 1, at(bytes, share));
      if (index >= 0) flipped[index] = (bytes[index] as number) ^ (1 << bit);
      return flipped;
    },
);

const cut = place.map(
  (share): Damage =>
    (bytes) =>
      bytes.subarray(0, at(bytes, share)),
);

const without = fc.tuple(place, place).map(
  ([one, other]): Damage =>
    (bytes) => {
      const [start, end] = range(bytes, one, other);
      return Buffer.concat([bytes.subarray(0, start), bytes.subarray(end)]);
    },
);

const twice = fc.tuple(place, place).map(
  ([one, other]): Damage =>
    (bytes) => {
      const [start, end] = range(bytes, one, other);
      return Buffer.concat([bytes.subarray(0, end), bytes.subarray(start)]);
    },
);

const swapped = fc.tuple(place, place, place).map(
  (shares): Damage =>
    (bytes) => {
      const [a = 0, b = 0, c = 0] = shares.map((share) => at(bytes, share)).sort((one, other) => one - other);
      return Buffer.concat([bytes.subarray(0, a), bytes.subarray(b, c), bytes.subarray(a, b), bytes.subarray(c)]);
    },
);

const spliced = (piece: fc.Arbitrary<Buffer>) =>
  fc.tuple(place, piece).map(
    ([share, inserted]): Damage =>
      (bytes) => {
        const index = at(bytes, share);
        return Buffer.concat([bytes.subarray(0, index), inserted, bytes.subarray(index)]);
      },
  );

/**
 * Up to four kinds of damage, one after the other: flipped bits, a cut, ranges that are missing, doubled or swapped, and
 * bytes from elsewhere.
 *
 * @param foreign files of other formats, a piece of which may stand anywhere
 */
export function damage(foreign: fc.Arbitrary<Buffer>): fc.Arbitrary<Damage> {
  const piece = fc
    .tuple(foreign, place, place)
    .map(([bytes, one, other]) => bytes.subarray(...range(bytes, one, other)));
  const steps = fc.array(fc.oneof(flip, cut, without, twice, swapped, spliced(nastyBytes), spliced(piece)), {
    maxLength: 4,
  });
  return steps.map(
    (list): Damage =>
      (bytes) =>
        list.reduce((damaged, step) => step(damaged), bytes),
  );
}
