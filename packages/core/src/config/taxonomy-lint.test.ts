import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../domain/json.ts';
import { lintTaxonomySchema } from './taxonomy-lint.ts';

function withProperty(property: JsonObject, name = 'field'): JsonObject {
  return { type: 'object', additionalProperties: false, properties: { [name]: property } };
}

function placesOf(schema: JsonObject): string[] {
  return lintTaxonomySchema(schema).map(({ path }) => path);
}

describe('lintTaxonomySchema', () => {
  it.each<JsonObject>([
    { type: 'string', maxLength: 5, 'x-pii': 'scan' },
    { type: ['string', 'null'], maxLength: 5, 'x-pii': 'none' },
    { type: 'string', maxLength: 24, format: 'date-time', 'x-pii': 'none' },
    { enum: ['a', 'b'], type: 'string', 'x-pii': 'none' },
    { type: 'boolean', 'x-pii': 'none' },
    { type: 'number', minimum: 0, maximum: 0.5, 'x-pii': 'none' },
    { type: 'string', maxLength: 30, 'x-pii': 'pseudonymise', 'x-pii-domain': 'user' },
    { type: 'array', maxItems: 2, items: { type: 'string', maxLength: 5 }, 'x-pii': 'scan' },
    { type: 'string', maxLength: 5, 'x-pii': 'url', 'x-pii-query-keys': ['utm_source'] },
  ])('accepts %j', (property) => {
    expect(placesOf(withProperty(property))).toEqual([]);
  });

  it.each<[JsonObject, string]>([
    [{ type: 'string', maxLength: 5 }, '/x-pii'],
    [{ type: 'string', maxLength: 5, 'x-pii': 'hide' }, '/x-pii'],
    [{ type: 'string', 'x-pii': 'none' }, '/maxLength'],
    [{ type: 'integer', minimum: 0, 'x-pii': 'none' }, '/maximum'],
    [{ type: 'number', minimum: 0, maximum: 1e300, 'x-pii': 'none' }, '/maximum'],
    [{ type: ['string', 'integer'], 'x-pii': 'none' }, '/type'],
    [{ 'x-pii': 'none' }, '/type'],
    [{ type: 'integer', minimum: 0, maximum: 1, 'x-pii': 'scan' }, '/x-pii'],
    [{ type: 'string', maxLength: 5, 'x-pii': 'none', 'x-pii-domain': 'user' }, '/x-pii-domain'],
    [{ type: 'string', maxLength: 5, 'x-pii': 'scan', 'x-pii-query-keys': ['a'] }, '/x-pii-query-keys'],
    [{ type: 'string', maxLength: 5, 'x-pii': 'url', 'x-pii-query-keys': 'a' }, '/x-pii-query-keys'],
    [{ type: 'array', items: { type: 'boolean' }, 'x-pii': 'none' }, '/maxItems'],
    [{ type: 'array', maxItems: 1, 'x-pii': 'none' }, '/items'],
    [{ type: 'array', maxItems: 1, items: { type: 'string' }, 'x-pii': 'none' }, '/items/maxLength'],
    [{ type: 'string', maxLength: 5, $ref: '#', 'x-pii': 'none' }, '/$ref'],
    [
      { ...withProperty({ type: 'boolean', 'x-pii': 'none' }), additionalProperties: true, 'x-pii': 'none' },
      '/additionalProperties',
    ],
    [{ ...withProperty({ type: 'boolean' }), 'x-pii': 'none' }, '/properties/field/x-pii'],
  ])('refuses %j', (property, place) => {
    expect(placesOf(withProperty(property))).toEqual([`/properties/field${place}`]);
  });

  it('refuses names that would sort or resolve in another way', () => {
    for (const name of ['1', '__proto__', 'constructor', 'Total', 'a-b', 'a.b', '']) {
      const schema = JSON.parse(
        `{"type":"object","additionalProperties":false,"properties":{"${name}":{"type":"boolean","x-pii":"none"}}}`,
      );
      expect(placesOf(schema)).toEqual([`/properties/${name}`]);
    }
  });

  it('refuses a dropped property that is required', () => {
    const schema = withProperty({ type: 'string', maxLength: 5, 'x-pii': 'drop' });
    expect(placesOf({ ...schema, required: ['field'] })).toEqual(['/properties/field']);
  });

  it('refuses what is not JSON Schema', () => {
    const typo = withProperty({ type: 'string', maxLength: 5, maxLenght: 5, 'x-pii': 'none' });
    expect(lintTaxonomySchema(typo)).toEqual([{ path: '', message: expect.stringContaining('maxLenght') }]);
    const format = withProperty({ type: 'string', maxLength: 5, format: 'iban', 'x-pii': 'none' });
    expect(placesOf(format)).toEqual(['']);
    expect(placesOf({ type: 'string' })).toEqual(['/type', '/additionalProperties', '/properties']);
  });
});
