import { expect, it } from 'vitest';
import type { JsonObject } from '../domain/json.ts';
import { checkAdditions } from './addition-lint.ts';
import type { ConfigMistake } from './config-error.ts';

const BASE: Record<string, JsonObject> = {
  plan: { type: 'string', enum: ['team', 'free'], 'x-pii': 'none' },
  count: { type: 'integer', minimum: 0, maximum: 10, 'x-pii': 'none' },
  note: { type: 'string', maxLength: 10, 'x-pii': 'scan' },
};

function schema(properties: Record<string, JsonObject>, required: string[] = []): JsonObject {
  return { type: 'object', additionalProperties: false, required, properties };
}

function places(...versions: [string, JsonObject][]): string[] {
  const mistakes: ConfigMistake[] = [];
  checkAdditions(new Map([['sold', new Map(versions)]]), mistakes);
  return mistakes.map(({ file, path }) => `${file.slice('taxonomy/events/sold/'.length)} ${path}`);
}

const old: [string, JsonObject] = ['1-0-9', schema(BASE)];

it('lets a version add properties and widen bounds', () => {
  const wider = {
    ...BASE,
    count: { type: 'integer', minimum: -1, maximum: 11, 'x-pii': 'none' },
    plan: { type: 'string', enum: ['team', 'free', 'pro'], 'x-pii': 'none' },
    more: { type: 'boolean', 'x-pii': 'none' },
  };
  expect(places(old, ['1-0-10', schema(wider)])).toEqual([]);
});

it('names what older data would not fit', () => {
  const { note: _gone, ...others } = BASE;
  const narrower = {
    ...others,
    count: { type: 'integer', minimum: 0, maximum: 9, 'x-pii': 'none' },
    plan: { type: 'string', enum: ['team'], 'x-pii': 'none' },
  };
  expect(places(['1-0-10', schema(narrower, ['plan'])], old)).toEqual([
    '1-0-10.schema.json /properties/note',
    '1-0-10.schema.json /required',
    '1-0-10.schema.json /properties/plan/enum',
    '1-0-10.schema.json /properties/count/maximum',
  ]);
  const another = { ...BASE, count: { type: 'string', maxLength: 5, 'x-pii': 'none' } };
  expect(places(old, ['1-0-10', schema(another)])).toEqual(['1-0-10.schema.json /properties/count/type']);
});

it('asks nothing of a new revision', () => {
  expect(places(old, ['1-1-0', schema({}, ['plan'])])).toEqual([]);
});
