import { hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { SourceConfig } from '../config/source.ts';
import type { JsonObject } from '../domain/json.ts';
import { compileRecipe } from './compile-recipe.ts';
import type { LineOutcome } from './line-outcome.ts';
import { pseudonym } from './pseudonym.ts';
import type { Recipe, RecipeUpcast } from './recipe.ts';
import { TEST_KEYS, TEST_SALT, testLine, testRecipe, testRecord } from './recipe-fixture.ts';

/** Amounts in euros, the buyer under another name, an address that is dropped. */
const V1: JsonObject = {
  type: 'object',
  additionalProperties: false,
  properties: {
    total: { type: 'number', minimum: 0, maximum: 1_000_000, 'x-pii': 'none' },
    user_id: { type: 'string', maxLength: 64, 'x-pii': 'pseudonymise' },
    text: { type: 'string', maxLength: 100, 'x-pii': 'scan' },
    email: { type: 'string', maxLength: 254, 'x-pii': 'drop' },
  },
};

function upcast(from: string, to: string, body: string): RecipeUpcast {
  const text = `export function upcast(properties) {\n${body}\n}\n`;
  return { from, to, sha256: hash('sha256', text, 'hex'), text, schema: V1 };
}

const toCents = upcast('0-1-0', '0-2-0', 'return { ...properties, total: Math.round(properties.total * 100) };');
const renamed = upcast(
  '0-2-0',
  '1-0-0',
  `const { total, user_id, text, email, ...rest } = properties;
   return { amount: total, buyer: user_id, note: text, seen: email, ...rest };`,
);

type VersionMapping = NonNullable<SourceConfig['mapping']['schema_version']>;

function transform(
  data: JsonObject,
  changes: { version?: string; upcasts?: RecipeUpcast[]; mapping?: VersionMapping } = {},
) {
  const { version, upcasts = [toCents, renamed], mapping = { path: 'v' } } = changes;
  const base = testRecipe();
  const source = { ...base.source, mapping: { ...base.source.mapping, schema_version: mapping } };
  const recipe: Recipe = { ...base, source, upcasts: { purchased: upcasts } };
  const record = testRecord({ data, ...(version === undefined ? {} : { v: version }) });
  return compileRecipe(recipe, { keys: TEST_KEYS, isSuppressed: () => false })(testLine(JSON.stringify(record)));
}

function propertiesOf(result: LineOutcome): JsonObject | string {
  if (result.outcome === 'quarantined') return result.reason;
  return result.outcome === 'accepted' ? JSON.parse(result.event.payload).properties : result.outcome;
}

describe('records of older versions', () => {
  const old = { total: 12.34, user_id: 'u-1', text: 'ask jane.doe@example.org', email: 'jane.doe@example.org' };

  it('go up step by step, and through the rules of the pinned version', () => {
    const result = transform(old, { version: '0-1-0' });
    expect(result.outcome === 'accepted' && result.event.schemaVersion).toBe('1-0-0');
    expect(propertiesOf(result)).toEqual({
      amount: 1234,
      buyer: pseudonym(TEST_SALT, 1, 'user', 'u-1'),
      note: 'ask [email]',
    });
    expect(propertiesOf(transform({ ...old, total: 5 }, { version: '0-2-0' }))).toMatchObject({ amount: 5 });
  });

  it('are the same event as one written in the pinned version', () => {
    const today = transform({ amount: 1234, buyer: 'u-1', note: 'ask jane.doe@example.org' }, { version: '1-0-0' });
    expect(transform(old, { version: '0-1-0' })).toEqual(today);
  });

  it('are of the version that the source gives', () => {
    const amount = { amount: 1234 };
    expect(propertiesOf(transform({ total: 12.34 }, { mapping: { constant: '0-1-0' } }))).toEqual(amount);
    expect(propertiesOf(transform({ total: 12.34 }, { mapping: { path: 'v', default: '0-1-0' } }))).toEqual(amount);
    expect(propertiesOf(transform(amount, { mapping: { constant: '1-0-0' } }))).toEqual(amount);
  });

  it('never show an upcast what their own version drops or does not know', () => {
    const reveal = upcast('0-1-0', '1-0-0', 'return { amount: 1, note: Object.keys(properties).sort().join() };');
    const seen = transform({ ...old, secret: 'x' }, { version: '0-1-0', upcasts: [reveal] });
    expect(propertiesOf(seen)).toEqual({ amount: 1, note: 'text,total,user_id' });
  });
});

describe('records that cannot go up', () => {
  it.each<[string, JsonObject, Parameters<typeof transform>[1]]>([
    ['schema_version: missing', { amount: 1 }, {}],
    ['schema_version: not_a_version', { amount: 1 }, { version: 'latest' }],
    ['schema_version: no_upcast', { amount: 1 }, { version: '2-0-0' }],
    ['schema_version: no_upcast', { amount: 1 }, { version: '0-3-0' }],
    ['upcast: 0-1-0_0-2-0 failed', {}, { version: '0-1-0' }],
    ['schema: /properties/amount must be >= 0', { total: -1 }, { version: '0-1-0' }],
    ['upcast: unusable_value', { total: 1, text: '\ud800' }, { version: '0-1-0' }],
  ])('are quarantined with %j', (reason, data, changes) => {
    expect(propertiesOf(transform(data, changes))).toBe(reason);
  });

  it('show nothing of what an upcast says when it throws', () => {
    const quoting = upcast('0-1-0', '1-0-0', 'throw new Error("cannot use " + properties.text);');
    const result = transform({ text: 'Jane Doe' }, { version: '0-1-0', upcasts: [quoting] });
    expect(result).toEqual({ outcome: 'quarantined', reason: 'upcast: 0-1-0_1-0-0 failed' });
  });
});

it('refuses an upcast whose text is not what was pinned', () => {
  const changed = { ...toCents, text: `${toCents.text}// later\n` };
  expect(() => transform({}, { upcasts: [changed] })).toThrow(RangeError);
});
