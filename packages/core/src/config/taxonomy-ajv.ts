import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { PII_RULES } from './taxonomy.ts';

/**
 * JSON Schema 2020-12 with the taxonomy's own keywords; unknown keywords and formats are errors.
 *
 * @param options.allErrors list every error of a value, not only the first
 */
export function createTaxonomyAjv({ allErrors = false } = {}): Ajv2020 {
  const ajv = new Ajv2020({ strict: true, allErrors, allowUnionTypes: true, addUsedSchema: false });
  addFormats.default(ajv);
  // Not of JSON Schema, which has `uri`, and the only one whose expression can be made slow.
  delete ajv.formats['url'];
  ajv.addKeyword({ keyword: 'x-pii', metaSchema: { enum: PII_RULES } });
  ajv.addKeyword({ keyword: 'x-pii-query-keys', metaSchema: { type: 'array', items: { type: 'string' } } });
  ajv.addKeyword({ keyword: 'x-pii-domain', metaSchema: { type: 'string' } });
  return ajv;
}
