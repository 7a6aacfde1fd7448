import { describe, expect, it } from 'vitest';
import type { SourceConfig } from '../config/source.ts';
import type { JsonObject } from '../domain/json.ts';
import { compileCleaner } from './compile-cleaner.ts';
import { compileCopiedRecipe } from './compile-copied-recipe.ts';
import { compileRecipe } from './compile-recipe.ts';
import { writeCopyLine } from './copy-line.ts';
import type { LineOutcome } from './line-outcome.ts';
import { pseudonym } from './pseudonym.ts';
import type { Recipe } from './recipe.ts';
import { TEST_KEYS, TEST_SALT, testLine, testRecipe, testRecord } from './recipe-fixture.ts';

const ERASED = pseudonym(TEST_SALT, 1, 'user', 'erased');
const isSuppressed = (subjectId: string) => subjectId === ERASED;
const CUTOFF = Date.UTC(2026, 1, 1);
const LATEST = Date.UTC(2026, 11, 1);

const record = (changes: JsonObject) => JSON.stringify(testRecord(changes));
const data = (properties: JsonObject, user = 'u') => record({ user: { id: user }, data: { amount: 5, ...properties } });

/** Lines of every outcome, and of everything that may stand in an event. */
const LINES: Record<string, string | Buffer> = {
  accepted: record({}),
  'every rule': data({
    note: 'mail jane@example.org, "quoted" \\ ü 😀 \u2028',
    page: '/a?q=1#x',
    agent: 'Mozilla/5.0 Firefox/140.0',
    network: '192.0.2.77',
    buyer: 'b-1',
    email: 'jane@example.org',
    coupon: null,
    ratio: 0.1,
    tags: ['a', '+49 151 77000000'],
    item: { sku: 'x', owner: 'jane' },
  }),
  'minus zero and exponents': data({ amount: -0, ratio: 1e-7 }),
  'no subject': record({ user: null, session: null }),
  'unusable character': data({ note: 'a\u0000b' }),
  'lone surrogate': Buffer.from(
    '{"id":"r","at":"2026-03-14T15:09:26Z","type":"Purchase","data":{"amount":1,"coupon":"\\ud800"}}',
  ),
  blank: '  ',
  'not JSON': '{"half": ',
  'not UTF-8': Buffer.from([0x7b, 0xff, 0x7d]),
  'too long': 'x'.repeat(20_000),
  'no time': record({ at: null }),
  'outside the window': record({ at: '2025-12-31T23:59:59Z' }),
  'from the future': record({ at: '2026-12-01T00:00:00.001Z' }),
  'another event': record({ type: 'Heartbeat' }),
  'no event': record({ type: '' }),
  expired: record({ at: '2026-01-05T00:00:00Z' }),
  'no record id': record({ id: null }),
  'unusable subject': record({ user: { id: { a: 1 } } }),
  'against the schema': data({ amount: 'five' }),
  'infinite number': record({}).replace('"amount":5', '"amount":1e400'),
  'erased person': data({}, 'erased'),
  'erased person, against the schema': data({ amount: -1 }, 'erased'),
  'erased person, unusable character': data({ note: 'a\u0000b' }, 'erased'),
};

function compile(changes: Partial<Recipe> = {}, source: Partial<SourceConfig> = {}) {
  const recipe = testRecipe({ retentionCutoffMs: CUTOFF, latestEventMs: LATEST, ...changes }, source);
  const clean = compileCleaner(
    recipe,
    { keys: TEST_KEYS, isSuppressed: () => false },
    { format: 'ndjson', header: null },
  );
  return {
    direct: compileRecipe(recipe, { keys: TEST_KEYS, isSuppressed }),
    copyOf: (line: string | Buffer) => writeCopyLine(clean(testLine(line))),
    finish: compileCopiedRecipe(recipe, { isSuppressed }),
  };
}

const outcomes = (results: (LineOutcome | undefined)[]) => new Set(results.map((result) => result?.outcome));

describe('a line by way of its copy', () => {
  const variants: [string, Partial<SourceConfig>][] = [
    ['with record ids', {}],
    ['with salted hashes for pseudonyms', { pseudonym: 'sha256-salt-suffix' }],
    ['in quarantine for a find', { pii: { scan: 'quarantine' } }],
    ['with numbers', { identity: 'payload+occurrence' }],
  ];
  it.each(variants)('becomes what it becomes directly, %s', (_name, source) => {
    const { direct, copyOf, finish } = compile({}, source);
    const lines = Object.values(LINES).map((line) => ({ ...testLine(line), occurrence: 3 }));
    const expected = lines.map(direct);
    expect(lines.map((line) => finish({ ...line, bytes: Buffer.from(copyOf(line.bytes ?? '')) }))).toEqual(expected);
    if (source.pseudonym !== undefined) return;
    expect(outcomes(expected)).toEqual(new Set(['accepted', 'suppressed', 'expired', 'filtered', 'quarantined']));
  });

  it('is one line, with nothing raw in it', () => {
    const { copyOf } = compile();
    for (const line of Object.values(LINES)) {
      expect(copyOf(line)).not.toMatch(/\n|jane|erased|192\.0\.2\.77|49 151|half/);
    }
    expect(copyOf(LINES['blank'] as string)).toBe('');
    expect(copyOf(LINES['expired'] as string)).toBe('{"outcome":"expired"}');
    expect(copyOf(LINES['not JSON'] as string)).toBe('{"outcome":"quarantined","reason":"parse: not_json"}');
    expect(JSON.parse(copyOf(LINES['erased person, against the schema'] as string))).toEqual({
      ...{ outcome: 'quarantined', subject_id: ERASED, reason: expect.stringMatching(/^schema: /) },
    });
  });
});

describe('a changed copy', () => {
  const { copyOf, finish } = compile();
  const good = copyOf(record({}));
  const read = (text: string | Buffer) => finish(testLine(text));
  const changed = (changes: JsonObject) => JSON.stringify({ ...JSON.parse(good), ...changes });

  it('that is as it was is read', () => {
    expect(read(good)?.outcome).toBe('accepted');
    expect(read(changed({}))?.outcome).toBe('accepted');
  });

  it.each<[string, string | Buffer]>([
    ['is not JSON', good.slice(1)],
    ['is no object', '[]'],
    ['is not UTF-8', Buffer.concat([Buffer.from(good.slice(0, -3)), Buffer.from([0xff, 0x22, 0x7d, 0x7d])])],
    ['has white space', ` ${good}`],
    ['has a field more', changed({ email: 'jane@example.org' })],
    ['has a name twice', good.replace('{', '{"event_name":"other",')],
    ['has a property more', changed({ properties: { amount: 5, raw: 'jane@example.org' } })],
    ['has a property of another type', changed({ properties: { amount: 'jane@example.org' } })],
    ['has no properties', changed({ properties: null })],
    ['is another event', changed({ event_name: 'viewed' })],
    ['is of another version', changed({ schema_version: '9-0-0' })],
    ['has another form of time', changed({ event_ts: '2026-03-14T15:09:26Z' })],
    ['has no time', changed({ event_ts: 'now' })],
    ['is before the window', changed({ event_ts: '2025-12-31T23:59:59.999Z' })],
    ['is behind the window', changed({ event_ts: '2027-01-01T00:00:00.000Z' })],
    ['is from the future', changed({ event_ts: '2026-12-01T00:00:00.001Z' })],
    ['has expired', changed({ event_ts: '2026-01-31T23:59:59.999Z' })],
    ['has no record id', changed({ record_id: null })],
    ['has a text for an id', changed({ subject_id: 'Jane Doe' })],
    ['has a number for an id', changed({ session_id: 7 })],
    ['has an unknown outcome', '{"outcome":"suppressed"}'],
    ['has no reason', '{"outcome":"quarantined"}'],
    ['is in quarantine for what is no code', '{"outcome":"quarantined","reason":"jane@example.org"}'],
    ['is in quarantine with a text for a person', '{"outcome":"quarantined","reason":"r","subject_id":"Jane Doe"}'],
    ['is in quarantine with its text', '{"outcome":"quarantined","reason":"r","line":"Jane Doe"}'],
  ])('is not read where a line %s', (_name, text) => {
    expect(read(text)).toBeUndefined();
  });
});
