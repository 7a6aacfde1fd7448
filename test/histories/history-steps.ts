import { ROLLBACK_MODES } from '@backfill/core/domain/rollback-mode';
import fc from 'fast-check';
import { personLine } from '../support/forgotten-world.ts';

export const EVENTS = 8;
/** Each has several of the events, in any of the batches. */
export const PEOPLE = ['visitor-a-5e21', 'visitor-b-90c4', 'visitor-c-d7f8'];
export const BATCHES = 3;

const batchNumber = fc.nat({ max: BATCHES - 1 });
export const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('work' as const), batch: batchNumber, pick: fc.nat() }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('work off' as const), batch: batchNumber }) },
  // At once: with all the work before it and that it calls for.
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('publish' as const), batch: batchNumber, atOnce: fc.boolean() }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('roll back' as const),
      batch: batchNumber,
      mode: fc.constantFrom(...ROLLBACK_MODES),
      atOnce: fc.boolean(),
    }),
  },
  // Of gates that have failed.
  { weight: 3, arbitrary: fc.record({ do: fc.constant('verify' as const), batch: batchNumber }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('halt' as const), batch: batchNumber }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('resume' as const), batch: batchNumber }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('deliver live' as const), event: fc.nat({ max: EVENTS - 1 }) }) },
  // At once, or when the erasures' job is run the next time.
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('forget' as const),
      person: fc.nat({ max: PEOPLE.length - 1 }),
      atOnce: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('erase' as const) }) },
  // A job that was run before comes again: a twin, a zombie, a late delivery.
  { weight: 2, arbitrary: fc.record({ do: fc.constant('repeat' as const), pick: fc.nat() }) },
);
export type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** The lines of each batch, by the number of the event, repeats among them; and from there on lines that cannot be read. */
export const input = fc.array(fc.array(fc.nat({ max: EVENTS + PEOPLE.length - 1 }), { minLength: 1, maxLength: 7 }), {
  minLength: BATCHES,
  maxLength: BATCHES,
});

/** What each batch replaces: nothing, live events, or a batch before it, by its number. */
export const replaced = fc.tuple(
  fc.constantFrom('nothing', 'live'),
  fc.constantFrom('nothing', 'live', 0),
  fc.constantFrom('nothing', 'live', 0, 1, 1),
);
export type Replaced = typeof replaced extends fc.Arbitrary<infer R> ? R : never;

/** Whose event it is, by its number. */
export function personOf(number: number): string {
  const person = PEOPLE[number % PEOPLE.length];
  if (person === undefined) throw new Error(`there is nobody with the number ${number}`);
  return person;
}

const lineOf = (number: number) =>
  number < EVENTS ? personLine(personOf(number), number) : `{"user":{"id":"${personOf(number - EVENTS)}"},"half`;

export const textOf = (lines: readonly number[]) => lines.map((number) => `${lineOf(number)}\n`).join('');

export const batchId = (number: number) => `batch-${number}`;
