import { expect, it } from 'vitest';
import { canaryPartLines, canaryProblem } from './canary.ts';

const good = {
  ...{ lines: 1100, quarantined: 40, main_reason: null, expected: 1000, staged: 1000, same_batch: 3 },
  ...{ accepted_rows: 1000, lineage_rows: 1000, quarantine_rows: 40 },
};
const clean = { schema: new Map<string, number>(), leaks: new Map<string, number>() };

it('passes what is whole, and what has no event at all', () => {
  expect(canaryProblem(good, clean)).toBeUndefined();
  const none = { expected: 0, staged: 0, same_batch: 0, accepted_rows: 0, lineage_rows: 0 };
  expect(canaryProblem({ ...good, ...none }, clean)).toBeUndefined();
});

it.each([
  ['lost rows', { staged: 999, lineage_rows: 999 }, '1000 events were transformed and 999 staged'],
  ['a lost account', { accepted_rows: 999 }, '1000 accepted lines were counted and 999 are stored'],
  ['lost lineage', { lineage_rows: 999 }, '1000 lines of the lineage were counted and 999 are stored'],
  ['lost quarantine', { quarantine_rows: 39 }, '40 quarantined lines were counted and 39 are stored'],
  ['mass repeats', { same_batch: 101 }, '101 of 1000 events repeat each other'],
])('names %s', (_name, change, problem) => {
  expect(canaryProblem({ ...good, ...change }, clean)).toMatch(problem);
});

it('names a canary that nobody can read, short or long', () => {
  const none = { expected: 0, staged: 0, same_batch: 0, accepted_rows: 0, lineage_rows: 0 };
  const short = { ...good, ...none, lines: 7, quarantined: 7, main_reason: 'parse: not_json' };
  expect(canaryProblem(short, clean)).toMatch('none of the first 7 lines can be read (parse: not_json)');
  const long = { ...good, ...none, lines: 1200, quarantined: 1000, main_reason: 'parse: not_json' };
  expect(canaryProblem(long, clean)).toMatch('none of the first 1000 lines can be read (parse: not_json)');
});

it('tells what the rows have, up to five of each', () => {
  const leaks = new Map(Array.from({ length: 7 }, (_, n) => [`email at /properties/p${n}`, n + 1]));
  const problem = canaryProblem(good, { ...clean, leaks });
  expect(problem).toMatch(/email at \/properties\/p0 \(1 events\); .*p4 \(5 events\); and 2 more$/);
  expect(canaryProblem(good, { ...clean, schema: new Map([['required: path', 2]]) })).toMatch(
    'not as the taxonomy says: required: path (2 events)',
  );
});

it('takes as many lines as events are missing, and more where nothing becomes an event', () => {
  const lines = (events: number, idleLines: number, quarantined = 0) =>
    canaryPartLines({ events, idleLines, quarantined }, 1_000);
  expect(lines(0, 0)).toBe(1_000);
  expect(lines(970, 0)).toBe(30);
  expect([lines(999, 0), lines(999, 1), lines(999, 2), lines(999, 4), lines(999, 10_000_000)]).toEqual([
    1, 1, 2, 4, 1_000,
  ]);
  expect([lines(1_000, 0), lines(1_500, 0)]).toEqual([undefined, undefined]);
  expect([lines(0, 999, 999), lines(0, 1_000, 1_000), lines(1, 1_000, 1_000)]).toEqual([1_000, undefined, 1_000]);
});
