import { hash } from 'node:crypto';
import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SourceConfig } from '../config/source.ts';
import type { JsonObject } from '../domain/json.ts';
import { compileRecipe } from './compile-recipe.ts';
import type { LineOutcome, TransformedEvent } from './line-outcome.ts';
import { PiiCounter } from './pii-counter.ts';
import { pseudonym } from './pseudonym.ts';
import type { Recipe } from './recipe.ts';
import { TEST_KEYS, TEST_SALT, testLine, testRecipe, testRecord } from './recipe-fixture.ts';

const JANE = pseudonym(TEST_SALT, 1, 'user', '4711');

function run(
  line: string | Buffer | JsonObject,
  changes: Partial<Recipe> = {},
  source: Partial<SourceConfig> = {},
): LineOutcome {
  const recipe = testRecipe(changes, source);
  const transform = compileRecipe(recipe, { keys: TEST_KEYS, isSuppressed: () => false });
  const isText = typeof line === 'string' || Buffer.isBuffer(line);
  return transform(testLine(isText ? line : JSON.stringify(line)));
}

function accepted(outcome: LineOutcome): TransformedEvent {
  if (outcome.outcome === 'accepted') return outcome.event;
  throw new Error(`not accepted: ${JSON.stringify(outcome)}`);
}

function storedProperties(data: JsonObject): unknown {
  return JSON.parse(accepted(run(testRecord({ data }))).payload).properties;
}

const quarantined = (reason: string): LineOutcome => ({ outcome: 'quarantined', reason });

describe('an accepted line', () => {
  it('becomes an event with its identity by the formula', () => {
    const event = accepted(run(testRecord()));
    const payload = `{"event_name":"purchased","properties":{"amount":5},"record_id":"r-1","session_id":"s-1","subject_id":"${JANE}"}`;
    expect(event).toEqual({
      eventId: `shop:20260314150926535:\\x${hash('sha256', payload, 'hex')}`,
      eventName: 'purchased',
      schemaVersion: '1-0-0',
      eventTsMs: Date.UTC(2026, 2, 14, 15, 9, 26, 535),
      sessionId: 's-1',
      subjectId: JANE,
      payload,
    });
  });

  it('leaves out ids that the record does not have', () => {
    const event = accepted(run(testRecord({ session: null, user: {} })));
    expect([event.sessionId, event.subjectId]).toEqual([null, null]);
    expect(event.payload).not.toContain('session_id');
    expect(event.payload).not.toContain('subject_id');
  });

  it('has the same id in whatever order the record writes its fields', () => {
    const { id, ...rest } = testRecord({ data: { note: 'x', amount: 5 } });
    const other = { ...rest, id: id ?? '', data: { amount: 5, note: 'x' } };
    expect(run(other)).toEqual(run(testRecord({ data: { note: 'x', amount: 5 } })));
  });

  it('ignores a byte order mark at the start of a file only', () => {
    const transform = compileRecipe(testRecipe(), { keys: TEST_KEYS, isSuppressed: () => false });
    const text = `\ufeff${JSON.stringify(testRecord())}`;
    expect(transform(testLine(text, 1)).outcome).toBe('accepted');
    expect(transform(testLine(text, 2))).toEqual(quarantined('parse: not_json'));
  });
});

describe('properties', () => {
  it('are those of the taxonomy, each by its rule', () => {
    expect(
      storedProperties({
        amount: 5,
        note: 'mail jane.doe@example.org from 192.0.2.7',
        page: 'https://jane@example.org/a?token=secret#top',
        agent: 'Mozilla/5.0 Firefox/140.0',
        network: '192.0.2.7',
        buyer: 4711,
        email: 'jane.doe@example.org',
        coupon: null,
        ratio: 0.5,
        tags: ['a', 'jane@example.org'],
        item: { sku: 'x', owner: 'Jane', unknown: 1 },
        unknown: 'Jane',
        constructor: 'Jane',
      }),
    ).toEqual({
      amount: 5,
      note: 'mail [email] from [ip]',
      page: 'https://example.org/a',
      agent: 'Firefox 140',
      network: '192.0.2.0',
      buyer: JANE,
      coupon: null,
      ratio: 0.5,
      tags: ['a', '[email]'],
      item: { sku: 'x' },
    });
  });

  it('count as absent where they are null and may not be', () => {
    expect(storedProperties({ amount: 5, note: null })).toEqual({ amount: 5 });
  });

  it('are dropped where a rule cannot work on the type', () => {
    const data = { amount: 5, note: 49_151_123_456, page: ['https://example.org'], network: 'home' };
    expect(storedProperties(data)).toEqual({ amount: 5 });
  });

  it('are not found on prototypes or through __proto__', () => {
    const data = '{"amount":5,"__proto__":{"note":"Jane"}}';
    const line = JSON.stringify(testRecord()).replace('{"amount":5}', data);
    expect(JSON.parse(accepted(run(line)).payload).properties).toEqual({ amount: 5 });
  });

  it('take the last of two equal names', () => {
    const line = JSON.stringify(testRecord()).replace('"amount":5', '"amount":4,"amount":6');
    expect(JSON.parse(accepted(run(line)).payload).properties).toEqual({ amount: 6 });
  });
});

describe('a line that is not an event', () => {
  it.each<[string, string | Buffer | JsonObject, string]>([
    ['not UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), 'invalid_utf8'],
    ['not JSON', '{"id":', 'parse: not_json'],
    ['an array', '[]', 'parse: not_a_json_object'],
    ['without time', testRecord({ at: null }), 'time: missing'],
    ['on 30 February', testRecord({ at: '2026-02-30T00:00:00Z' }), 'time: impossible'],
    ['without zone', testRecord({ at: '2026-03-14T00:00:00' }), 'time: no_zone'],
    ['without event name', testRecord({ type: '' }), 'event_name: missing'],
    ['with a number as event name', testRecord({ type: 5 }), 'event_name: not_text'],
    ['without record id', testRecord({ id: null }), 'record_id: missing'],
    ['with spaces in the record id', testRecord({ id: 'Jane Doe' }), 'record_id: not_an_identifier'],
    ['with an e-mail as session', testRecord({ session: 'jane@example.org' }), 'session_id: personal_data'],
    ['with an object as user id', testRecord({ user: { id: {} } }), 'subject_id: not_an_identifier'],
    ['with an inexact user id', testRecord({ user: { id: 2 ** 53 } }), 'subject_id: not_an_identifier'],
    ['with a broken user id', testRecord({ user: { id: 'a\ud800' } }), 'subject_id: not_an_identifier'],
    [
      'without a required property',
      testRecord({ data: {} }),
      "schema: /properties must have required property 'amount'",
    ],
    ['with a wrong type', testRecord({ data: { amount: '5' } }), 'schema: /properties/amount must be integer'],
    ['with a large number', testRecord({ data: { amount: 2 ** 53 } }), 'schema: /properties/amount must be <= 1000000'],
    [
      'with a long text',
      testRecord({ data: { amount: 5, note: 'x'.repeat(101) } }),
      'schema: /properties/note must NOT have more than 100 characters',
    ],
    [
      'with too many items',
      testRecord({ data: { amount: 5, tags: ['', '', '', '', ''] } }),
      'schema: /properties/tags must NOT have more than 3 items',
    ],
    [
      'with a wrong item',
      testRecord({ data: { amount: 5, tags: ['', 'x'.repeat(41)] } }),
      'schema: /properties/tags/* must NOT have more than 40 characters',
    ],
    [
      'with text for an object',
      testRecord({ data: { amount: 5, item: 'Jane' } }),
      'schema: /properties/item must be object',
    ],
    ['with a NUL', testRecord({ data: { amount: 5, note: 'a\u0000' } }), 'text: unusable_character'],
    ['with a lone surrogate', testRecord({ data: { amount: 5, note: 'a\udfff' } }), 'text: unusable_character'],
  ])('is quarantined: %s', (_, line, reason) => {
    expect(run(line)).toEqual(quarantined(reason));
  });

  it.each(['1e400', '-1e400', '9007199254740993'])('is quarantined with the number %s', (number) => {
    const line = JSON.stringify(testRecord()).replace('"amount":5', `"amount":${number}`);
    expect(run(line)).toMatchObject({ outcome: 'quarantined' });
    const ratio = JSON.stringify(testRecord()).replace('"amount":5', `"amount":5,"ratio":${number}`);
    expect(run(ratio)).toMatchObject({ outcome: 'quarantined' });
  });

  it('keeps escapes that only look like unusable characters', () => {
    const note = '\\u0000 \\ud800 \u0001 \ud83d\ude00';
    expect(storedProperties({ amount: 5, note })).toEqual({ amount: 5, note });
  });

  it('is quarantined when it is longer than the limit', () => {
    const transform = compileRecipe(testRecipe(), { keys: TEST_KEYS, isSuppressed: () => false });
    const line = { lineNo: 1, bytes: undefined, byteLength: 50_000_000 };
    expect(transform(line)).toEqual(quarantined('line_too_long'));
  });

  it('is filtered when it is blank', () => {
    expect(run('')).toEqual({ outcome: 'filtered' });
    expect(run(' \t\r')).toEqual({ outcome: 'filtered' });
  });
});

describe('the order of the checks', () => {
  const march = { startMs: Date.UTC(2026, 2, 14), endMs: Date.UTC(2026, 2, 15) };
  const bad = { id: null, data: {} };

  it('has the window first, with its start and without its end', () => {
    const at = (time: string): LineOutcome => run(testRecord({ at: time }), { window: march });
    expect(at('2026-03-13T23:59:59.999Z').outcome).toBe('filtered');
    expect(at('2026-03-14T00:00:00Z').outcome).toBe('accepted');
    expect(at('2026-03-14T23:59:59.9999Z').outcome).toBe('accepted');
    expect(at('2026-03-15T00:00:00Z').outcome).toBe('filtered');
    const outside = testRecord({ at: '2026-03-15T00:00:00Z', type: null, ...bad });
    expect(run(outside, { window: march }).outcome).toBe('filtered');
  });

  it('has unmapped names before retention, and retention before the rest', () => {
    const retentionCutoffMs = Date.UTC(2026, 11, 1);
    expect(run(testRecord({ type: 'Other', ...bad }), { retentionCutoffMs }).outcome).toBe('filtered');
    expect(run(testRecord(bad), { retentionCutoffMs }).outcome).toBe('expired');
    const justInTime = testRecord({ at: '2026-12-01T00:00:00Z' });
    expect(run(justInTime, { retentionCutoffMs }).outcome).toBe('accepted');
  });

  it('has suppression before the properties', () => {
    const transform = compileRecipe(testRecipe(), {
      keys: TEST_KEYS,
      isSuppressed: (subjectId) => subjectId === JANE,
    });
    const line = JSON.stringify(testRecord({ data: {} }));
    expect(transform(testLine(line))).toEqual({ outcome: 'suppressed' });
    const other = JSON.stringify(testRecord({ user: { id: 4712 } }));
    expect(transform(testLine(other)).outcome).toBe('accepted');
  });
});

describe('event names', () => {
  it('can be a constant, or the taxonomy names themselves', () => {
    const mapping = testRecipe().source.mapping;
    const constant = { mapping: { ...mapping, event_name: { constant: 'purchased' } } };
    expect(accepted(run(testRecord({ type: null }), {}, constant)).eventName).toBe('purchased');
    const plain = { mapping: { ...mapping, event_name: { path: 'type' } } };
    expect(accepted(run(testRecord({ type: 'purchased' }), {}, plain)).eventName).toBe('purchased');
    expect(run(testRecord({ type: 'constructor' }), {}, plain).outcome).toBe('filtered');
  });
});

describe('times from the future', () => {
  it('are quarantined and choose no key', () => {
    const latestEventMs = Date.UTC(2026, 5, 1);
    const keyPeriods = [
      { version: 1, fromMs: null },
      { version: 9, fromMs: latestEventMs + 1 },
    ];
    const at = (time: string): LineOutcome => run(testRecord({ at: time }), { latestEventMs, keyPeriods });
    expect(at('2026-06-01T00:00:00Z').outcome).toBe('accepted');
    expect(at('2026-06-01T00:00:00.001Z')).toEqual(quarantined('time: in_the_future'));
    expect(at('2027-06-01T00:00:00Z').outcome).toBe('filtered');
  });
});

describe("a source's privacy policy", () => {
  const withNote = testRecord({ data: { amount: 5, note: 'call +49 151 2345678', email: 'jane@example.org' } });
  const under = (pii: SourceConfig['pii'], record = withNote): LineOutcome => run(record, {}, { pii });

  it('masks by default, drops, or quarantines what has a find', () => {
    const note = (pii: SourceConfig['pii']) => JSON.parse(accepted(under(pii)).payload).properties.note;
    expect(note(undefined)).toBe('call [phone]');
    expect(note({ scan: 'mask' })).toBe('call [phone]');
    expect(note({ scan: 'drop' })).toBeUndefined();
    expect(under({ scan: 'quarantine' })).toEqual(quarantined('pii: /properties/note personal_data'));
    const clean = testRecord({ data: { amount: 5, note: 'call me' } });
    expect(under({ scan: 'quarantine' }, clean).outcome).toBe('accepted');
  });

  it('names the detectors that look, at identifiers too', () => {
    const note = JSON.parse(accepted(under({ detectors: ['email'] })).payload).properties.note;
    expect(note).toBe('call +49 151 2345678');
    const card = testRecord({ session: '4111111111111111' });
    expect(under(undefined, card)).toEqual(quarantined('session_id: personal_data'));
    expect(under({ detectors: ['email'] }, card).outcome).toBe('accepted');
  });

  it('quarantines what passes through and is no pseudonym', () => {
    const passing = (record: JsonObject) => run(record, {}, { pseudonym: 'passthrough' });
    expect(accepted(passing(testRecord())).subjectId).toBe('4711');
    expect(passing(testRecord({ user: { id: 'jane@example.org' } }))).toEqual(quarantined('subject_id: personal_data'));
    const buyer = testRecord({ data: { amount: 5, buyer: 'Jane Doe' } });
    expect(passing(buyer)).toEqual(quarantined('pii: /properties/buyer personal_data'));
    expect(passing(testRecord()).outcome).toBe('accepted');
  });

  it('can be watched: finds per field and detector, dropped and unknown fields', () => {
    const counter = new PiiCounter();
    const transform = compileRecipe(testRecipe(), { keys: TEST_KEYS, isSuppressed: () => false, observer: counter });
    const plain = compileRecipe(testRecipe(), { keys: TEST_KEYS, isSuppressed: () => false });
    const data = {
      amount: 5,
      tags: ['a@b.example', '192.0.2.7', 'c@d.example'],
      item: { owner: 'Jane', x: 1 },
      new: 1,
    };
    for (const record of [withNote, testRecord({ data, extra: {} })]) {
      const line = testLine(JSON.stringify(record));
      expect(transform(line)).toEqual(plain(line));
    }
    expect(counter.counts).toEqual({
      hits: { '/properties/note': { phone: 1 }, '/properties/tags': { email: 2, ipv4: 1 } },
      dropped: { '/properties/email': 1, '/properties/item/owner': 1 },
      // user.email twice; data.new, data.item.x and extra.
      unknownFields: 5,
    });
  });
});

describe('any line at all', () => {
  const transform = compileRecipe(testRecipe(), { keys: TEST_KEYS, isSuppressed: () => false });

  it('has an outcome and never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const { outcome } = transform(testLine(Buffer.from(bytes)));
        expect(['filtered', 'quarantined']).toContain(outcome);
      }),
    );
  });

  it('has an outcome when a good record is mutilated', () => {
    const good = Buffer.from(JSON.stringify(testRecord({ data: { amount: 5, note: 'ä €' } })));
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), fc.nat(8), (at, byte, removed) => {
        const line = Buffer.concat([good.subarray(0, at), Buffer.from([byte]), good.subarray(at + removed)]);
        const outcome = transform(testLine(line));
        if (outcome.outcome === 'accepted') expectIdentity(outcome.event);
      }),
      { numRuns: 1_000 },
    );
  });

  it('becomes canonical JSON whatever its values are', () => {
    const value = fc.jsonValue({ stringUnit: 'binary', maxDepth: 3 });
    const data = fc.record(
      {
        amount: fc.nat(1_000),
        note: fc.string({ unit: 'binary' }),
        ratio: fc.double({ min: 0, max: 1 }),
        coupon: fc.oneof(fc.string({ unit: 'binary', maxLength: 20 }), fc.constant(null)),
        item: value,
        tags: value,
        junk: value,
      },
      { requiredKeys: ['amount'] },
    );
    fc.assert(
      fc.property(data, fc.dictionary(fc.string(), value), (properties, junk) => {
        const record = { ...junk, ...testRecord(), data: properties as JsonObject } as JsonObject;
        const outcome = transform(testLine(JSON.stringify(record)));
        if (outcome.outcome === 'accepted') expectIdentity(outcome.event);
      }),
      { numRuns: 500 },
    );
  });

  it('may be nested as deeply as it likes', () => {
    const deep = '['.repeat(100_000) + ']'.repeat(100_000);
    const line = JSON.stringify(testRecord()).replace('"amount":5', `"amount":5,"tags":${deep}`);
    expect(transform(testLine(line)).outcome).toBe('quarantined');
    const dropped = JSON.stringify(testRecord()).replace('"amount":5', `"amount":5,"junk":${deep}`);
    expect(transform(testLine(dropped)).outcome).toBe('accepted');
  });

  function expectIdentity(event: TransformedEvent): void {
    expect(canonicalize(JSON.parse(event.payload))).toBe(event.payload);
    expect(event.eventId.endsWith(`:\\x${hash('sha256', event.payload, 'hex')}`)).toBe(true);
  }
});
