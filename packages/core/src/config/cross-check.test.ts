import { expect, it } from 'vitest';
import { testRecipe } from '../recipe/recipe-fixture.ts';
import type { ConfigMistake } from './config-error.ts';
import { crossCheck } from './cross-check.ts';

const { source, taxonomy } = testRecipe({}, { pseudonym: 'passthrough' });
const schemas = new Map(
  Object.entries(taxonomy).map(([name, { version, schema }]) => [name, new Map([[version, schema]])]),
);

const PSEUDONYMISED = { path: 'session', pii: 'pseudonymise', domain: 'session' } as const;

function mistakenPaths(changes: Partial<typeof source>): string[] {
  const mistakes: ConfigMistake[] = [];
  const sources = new Map([[source.source, { ...source, ...changes }]]);
  crossCheck({ policy: undefined, sources, taxonomy: schemas, upcasts: new Map() }, mistakes);
  return mistakes.map(({ path }) => path);
}

it.each([
  ['eu', []],
  ['non-eu', ['/pseudonym']],
] as const)('lets identifiers pass through from the EU alone: %s', (region, places) => {
  expect(mistakenPaths({ region, mapping: { ...source.mapping, session_id: PSEUDONYMISED } })).toEqual(places);
});

it('keeps no session id as it is from outside the EU, and a person’s from nowhere', () => {
  const keptAsIs = { session_id: { path: 's', pii: 'none' }, subject_id: { path: 'u', pii: 'none' } } as const;
  const mapping = { ...source.mapping, ...keptAsIs };
  expect(mistakenPaths({ region: 'eu', mapping })).toEqual(['/mapping/subject_id/pii']);
  expect(mistakenPaths({ region: 'non-eu', pseudonym: 'hmac', mapping })).toEqual([
    '/mapping/subject_id/pii',
    '/mapping/session_id/pii',
  ]);
});
