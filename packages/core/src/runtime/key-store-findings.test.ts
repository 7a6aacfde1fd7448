import { describe, expect, it } from 'vitest';
import { doubtFindings, type KeyStoreFacts, keyStoreFindings } from './key-store-findings.ts';

const LAYOUT = { events_id: 'mine', is_separate: true, has_keys: true };
const DATABASE = { max_prepared: 10, has_batches: false, events_id: 'mine' };
const FACTS: KeyStoreFacts = { layout: LAYOUT, database: DATABASE, prepares: 4 };

describe('keyStoreFindings', () => {
  it.each<[string, Partial<KeyStoreFacts>, RegExp | undefined]>([
    ['its own store', {}, undefined],
    ['as many prepared transactions as it needs', { database: { ...DATABASE, max_prepared: 4 } }, undefined],
    ['too few', { database: { ...DATABASE, max_prepared: 3 } }, /is 3, but this process alone prepares up to 4/],
    ['none', { database: { ...DATABASE, max_prepared: 0 }, prepares: 1 }, /is 0, so that nothing can be prepared/],
    ['no address, and no keys yet', { database: undefined, layout: { ...LAYOUT, has_keys: false } }, undefined],
    ['no address', { database: undefined }, /it is not set/],
    ['an empty database', { database: { ...DATABASE, events_id: null } }, /a new database/],
    ['the store of another', { database: { ...DATABASE, events_id: 'other' } }, /of another events database/],
    ['a database with batches', { database: { ...DATABASE, has_batches: true } }, /that holds batches/],
    ['keys with the events', { layout: { ...LAYOUT, is_separate: false } }, /there are keys .* in DATABASE_URL/],
    ['neither', { database: undefined, layout: { ...LAYOUT, is_separate: false } }, undefined],
    ['a database without a schema', { database: undefined, layout: undefined }, undefined],
  ])('%s', (_what, given, problem) => {
    const problems = keyStoreFindings({ ...FACTS, ...given }).map((finding) => finding.problem);
    expect(problems).toEqual(problem === undefined ? [] : [expect.stringMatching(problem)]);
  });
});

it('finds what has been in doubt for more than a minute', () => {
  expect(doubtFindings([0, 59, 60])).toEqual([]);
  expect(doubtFindings([61, 2]).map(({ problem }) => problem)).toEqual([
    expect.stringMatching(/^1 prepared transaction has/),
  ]);
});
