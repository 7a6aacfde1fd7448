import { expect, it } from 'vitest';
import type { SourceConfig } from '../config/source.ts';
import type { JsonObject } from '../domain/json.ts';
import { compileRecipe } from './compile-recipe.ts';
import { TEST_KEYS, testLine, testRecipe, testRecord } from './recipe-fixture.ts';

function propertiesOf(data: JsonObject, properties: SourceConfig['mapping']['properties']): unknown {
  const { source } = testRecipe();
  const recipe = testRecipe({}, { mapping: { ...source.mapping, properties: { '*': 'data.*', ...properties } } });
  const transform = compileRecipe(recipe, { keys: TEST_KEYS, isSuppressed: () => false });
  const result = transform(testLine(JSON.stringify(testRecord({ data }))));
  if (result.outcome === 'quarantined') return result.reason;
  return result.outcome === 'accepted' ? JSON.parse(result.event.payload).properties : result.outcome;
}

it('gives a property the same value in every event', () => {
  expect(propertiesOf({ amount: 5, coupon: 'X' }, { coupon: { constant: 'NONE' }, ratio: { constant: 0.5 } })).toEqual({
    amount: 5,
    coupon: 'NONE',
    ratio: 0.5,
  });
});

it('replaces values by a table, whatever their type', () => {
  const mapping = {
    amount: { path: 'data.size', values: { S: 1, L: 3, 7: 70, true: 100 } },
    coupon: { path: 'data.code', values: { '': 'EMPTY', constructor: 'C' } },
  };
  expect(propertiesOf({ size: 'L', code: 'constructor' }, mapping)).toEqual({ amount: 3, coupon: 'C' });
  expect(propertiesOf({ size: 7, code: '' }, mapping)).toEqual({ amount: 70, coupon: 'EMPTY' });
  expect(propertiesOf({ size: true }, mapping)).toEqual({ amount: 100 });
});

it('leaves what is not in the table to the schema', () => {
  const mapping = { amount: { path: 'data.size', values: { S: 1 } } };
  expect(propertiesOf({ size: 4 }, mapping)).toEqual({ amount: 4 });
  expect(propertiesOf({ size: 'XL' }, mapping)).toBe('schema: /properties/amount must be integer');
  expect(propertiesOf({ size: 'toString' }, mapping)).toBe('schema: /properties/amount must be integer');
  expect(propertiesOf({}, mapping)).toBe("schema: /properties must have required property 'amount'");
});

it('applies the privacy rules to what a table gives', () => {
  const mapping = { note: { path: 'data.who', values: { j: 'jane.doe@example.org' } } };
  expect(propertiesOf({ amount: 1, who: 'j' }, mapping)).toEqual({ amount: 1, note: '[email]' });
});
