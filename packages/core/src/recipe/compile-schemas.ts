import type { ValidateFunction } from 'ajv';
import { createTaxonomyCompiler } from '../config/taxonomy-compiler.ts';
import type { Recipe } from './recipe.ts';

/** Compiles the recipe's schemas; gives that of an event in exactly the version that the recipe pins, if there is one. */
export function compileSchemas(
  recipe: Recipe,
): (eventName: string, schemaVersion: string) => ValidateFunction | undefined {
  const compile = createTaxonomyCompiler();
  const schemas = new Map(
    Object.entries(recipe.taxonomy).map(([eventName, { version, schema }]) => [
      `${eventName} ${version}`,
      compile(schema),
    ]),
  );
  return (eventName, schemaVersion) => schemas.get(`${eventName} ${schemaVersion}`);
}
