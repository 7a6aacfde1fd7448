import { expect, it } from 'vitest';
import { testRecipe } from '../recipe/recipe-fixture.ts';
import { isMappedColumn, mappedPaths } from './mapped-paths.ts';

it('knows what a mapping reads, and nothing else', () => {
  const { source, taxonomy } = testRecipe();
  const schemas = Object.values(taxonomy).map(({ schema }) => schema);
  const paths = mappedPaths(source, schemas);
  for (const column of ['at', 'type', 'user.id', 'user', 'data', 'data.amount', 'data.item.sku']) {
    expect(isMappedColumn(paths, column), column).toBe(true);
  }
  for (const column of ['a', 'user.email', 'use', 'jane@example.org', 'Jane Doe', 'data.other', '']) {
    expect(isMappedColumn(paths, column), column).toBe(false);
  }
});
