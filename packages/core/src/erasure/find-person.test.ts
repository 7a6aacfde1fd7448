import { describe, expect, it } from 'vitest';
import { COPY_FORMAT } from '../domain/format-name.ts';
import { pseudonym } from '../recipe/pseudonym.ts';
import { TEST_KEYS, TEST_SALT, testRecipe } from '../recipe/recipe-fixture.ts';
import { compilePersonFinder } from './find-person.ts';

const GONE = pseudonym(TEST_SALT, 1, 'user', 'jane@example.org');
const people = new Map([[GONE, 7]]);
const line = (text: string | Buffer) => ({ lineNo: 1, bytes: Buffer.from(text), byteLength: text.length });

describe('whose a raw line is', () => {
  const personOf = compilePersonFinder(testRecipe(), TEST_KEYS, people, { format: 'ndjson', header: null });

  it.each([
    ['the subject of any record, event or not', '{"user":{"id":"jane@example.org"}}', 7],
    ['somebody else', '{"user":{"id":"john@example.org"},"note":"jane@example.org"}', 'other'],
    ['a record without a subject', '{"note":"jane@example.org"}', 'unknown'],
    ['a word of a line that cannot be read', '{"half": "x jane@example.org', 7],
    ['part of a word', '{"half": "xjane@example.orgs', 'unknown'],
    ['a subject that is no id', '{"user":{"id":{"mail":"jane@example.org"}}}', 7],
    ['the pseudonym itself', `{"user":{"id":"${GONE}"}}`, 7],
    ['an empty line', '', 'unknown'],
    ['bytes', Buffer.from([0xff, 0xfe]), 'unknown'],
  ])('%s', (_, text, person) => {
    expect(personOf(line(text))).toBe(person);
  });
});

it('knows a line of a copy by its pseudonym', () => {
  const personOf = compilePersonFinder(testRecipe(), TEST_KEYS, people, { format: COPY_FORMAT, header: null });
  expect(personOf(line(JSON.stringify({ event_name: 'x', subject_id: GONE })))).toBe(7);
  expect(personOf(line(JSON.stringify({ outcome: 'quarantined', reason: 'x', subject_id: GONE })))).toBe(7);
  expect(personOf(line(JSON.stringify({ subject_id: 'p1_other' })))).toBe('other');
  expect(personOf(line('{"outcome":"expired"}'))).toBe('unknown');
  expect(personOf(line(''))).toBe('unknown');
});
