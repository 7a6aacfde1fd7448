import { expect, it } from 'vitest';
import { testRecipe } from '../recipe/recipe-fixture.ts';
import type { ConfigMistake } from './config-error.ts';
import { crossCheck } from './cross-check.ts';

const { source, taxonomy } = testRecipe({}, { pseudonym: 'passthrough' });
const schemas = new Map(
  Object.entries(taxonomy).map(([name, { version, schema }]) => [name, new Map([[version, schema]])]),
);

it.each([
  ['eu', []],
  ['non-eu', ['/pseudonym']],
] as const)('lets identifiers pass through from the EU alone: %s', (region, places) => {
  const mistakes: ConfigMistake[] = [];
  const sources = new Map([[source.source, { ...source, region }]]);
  crossCheck({ policy: undefined, sources, taxonomy: schemas, upcasts: new Map() }, mistakes);
  expect(mistakes.map(({ path }) => path)).toEqual(places);
});
