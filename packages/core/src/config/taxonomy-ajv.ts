import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { JsonObject } from '../domain/json.ts';
import { PII_RULES } from './taxonomy.ts';

/**
 * JSON Schema 2020-12 with the taxonomy's own keywords; unknown keywords and formats are errors. It takes schemas that
 * were read by {@link requireJsonSchema}: compiling the meta-schema for each of them would cost more than all else.
 *
 * @param options.allErrors list every error of a value, not only the first
 */
export function createTaxonomyAjv({ allErrors = false } = {}): Ajv2020 {
  const options = { strict: true, allErrors, allowUnionTypes: true, addUsedSchema: false };
  const ajv = new Ajv2020({ ...options, meta: false, validateSchema: false });
  addFormats.default(ajv);
  // Not of JSON Schema, which has `uri`, and the only one whose expression can be made slow.
  delete ajv.formats['url'];
  ajv.addKeyword({ keyword: 'x-pii', metaSchema: { enum: PII_RULES } });
  ajv.addKeyword({ keyword: 'x-pii-query-keys', metaSchema: { type: 'array', items: { type: 'string' } } });
  ajv.addKeyword({ keyword: 'x-pii-domain', metaSchema: { type: 'string' } });
  return ajv;
}

let metaSchema: Ajv2020 | undefined;

/**
 * Holds a schema against the meta-schema of JSON Schema 2020-12.
 *
 * @throws {Error} with what is wrong
 */
export function requireJsonSchema(schema: JsonObject): void {
  // Kept, since it compiles the meta-schema alone and so does not grow.
  metaSchema ??= new Ajv2020({ strict: false });
  metaSchema.validateSchema(schema, true);
}
