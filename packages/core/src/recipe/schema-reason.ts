import type { ErrorObject } from 'ajv';

const INDEX = /\/\d+(?=\/|$)/g;

/**
 * A quarantine reason from Ajv's first error, such as `schema: /properties/amount must be number`.
 * Names and numbers in it come from the schema; places in arrays are written `*`.
 */
export function schemaReason(errors: ErrorObject[] | null | undefined): string {
  const error = errors?.[0];
  if (error === undefined) return 'schema: /properties is not valid';
  const place = `/properties${error.instancePath.replace(INDEX, '/*')}`;
  return `schema: ${place} ${error.message ?? `fails ${error.keyword}`}`;
}
