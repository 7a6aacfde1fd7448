import type { ValidateFunction } from 'ajv';
import type { JsonObject } from '../domain/json.ts';
import { createTaxonomyAjv } from './taxonomy-ajv.ts';

/** Several taxonomies of many events. When it is full, all are forgotten. */
const REMEMBERED = 1_000;

/** By the text of the schema. */
const compiled = new Map<string, ValidateFunction>();

/**
 * Compiles schemas of events, and none twice: every batch, chunk and request wants the same ones, and a compiler costs a tenth
 * of a second before its first, since it compiles the schema of schemas.
 *
 * @returns a function that throws for what is no schema, or has keywords or formats that are not known. What it gives is
 *   shared by all who ask for the same schema: its `errors` are those of its last call.
 */
export function createTaxonomyCompiler(): (schema: JsonObject) => ValidateFunction {
  let ajv: ReturnType<typeof createTaxonomyAjv> | undefined;
  return (schema) => {
    const text = JSON.stringify(schema);
    const known = compiled.get(text);
    if (known !== undefined) return known;
    ajv ??= createTaxonomyAjv();
    const validate = ajv.compile(schema);
    if (compiled.size >= REMEMBERED) compiled.clear();
    compiled.set(text, validate);
    return validate;
  };
}
