import { canonicalJson } from '../domain/canonical-json.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../domain/json.ts';
import { PII_RULES, type PiiRule } from './taxonomy.ts';
import { createTaxonomyCompiler } from './taxonomy-compiler.ts';

/** Something wrong in a schema, at a JSON pointer. */
export interface SchemaProblem {
  path: string;
  message: string;
}

/** No integer-like names (they would sort apart) and none that every object inherits. */
const PROPERTY_NAME = /^[a-z][a-z0-9_]{0,62}$/;
const PII_DOMAIN = /^[a-z][a-z0-9_]{0,31}$/;
const TYPES = ['string', 'integer', 'number', 'boolean', 'object', 'array'];
/** These let names or values in that the allow-list and the PII rules would not see. */
const FORBIDDEN = [
  '$ref',
  '$dynamicRef',
  '$defs',
  'patternProperties',
  'prefixItems',
  'propertyNames',
  'unevaluatedItems',
  'unevaluatedProperties',
];

/** Every mistake in the schema of an event's properties; empty when it can be used. */
export function lintTaxonomySchema(schema: JsonObject): SchemaProblem[] {
  const problems: SchemaProblem[] = [];
  if (schema.type !== 'object') problems.push({ path: '/type', message: 'must be "object"' });
  lintObject(schema, '', problems);
  if (problems.length > 0) return problems;
  try {
    createTaxonomyCompiler()(schema);
    // Its hash is what the lock file and every plan hold on to.
    canonicalJson(schema);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    problems.push({ path: '', message: error.message });
  }
  return problems;
}

/** The types of a schema node without `null`. */
export function schemaTypes(node: JsonObject): string[] {
  const type = node.type;
  const list = Array.isArray(type) ? type : [type];
  return list.filter((name): name is string => typeof name === 'string' && name !== 'null');
}

/** True if a schema node lets a stored null through. */
export function isNullable(node: JsonObject): boolean {
  const type = node.type;
  return Array.isArray(type) && type.includes('null');
}

function lintObject(node: JsonObject, path: string, problems: SchemaProblem[]): void {
  lintForbidden(node, path, problems);
  if (node.additionalProperties !== false) {
    problems.push({ path: `${path}/additionalProperties`, message: 'must be false' });
  }
  const properties = node.properties;
  if (!isJsonObject(properties)) {
    problems.push({ path: `${path}/properties`, message: 'must list the properties' });
    return;
  }
  for (const [name, property] of Object.entries(properties)) {
    const at = `${path}/properties/${name}`;
    if (!PROPERTY_NAME.test(name) || name in Object.prototype) {
      problems.push({
        path: at,
        message: `the name must match ${PROPERTY_NAME.source} and be none that every object has`,
      });
    }
    if (!isJsonObject(property)) problems.push({ path: at, message: 'must be a schema object' });
    else lintProperty(property, at, isRequired(node, name), problems);
  }
}

function lintProperty(property: JsonObject, path: string, required: boolean, problems: SchemaProblem[]): void {
  const rule = property['x-pii'];
  if (!PII_RULES.includes(rule as PiiRule)) {
    problems.push({ path: `${path}/x-pii`, message: `must be one of ${PII_RULES.join(', ')}` });
    return;
  }
  if (rule === 'drop' && required) {
    problems.push({ path, message: 'is dropped, so it cannot be required' });
  }
  const domain = property['x-pii-domain'];
  if (domain !== undefined && (rule !== 'pseudonymise' || !isMatch(PII_DOMAIN, domain))) {
    problems.push({
      path: `${path}/x-pii-domain`,
      message: `stands beside "x-pii": "pseudonymise" and must match ${PII_DOMAIN.source}`,
    });
  }
  lintQueryKeys(property, path, problems);
  lintValue(property, path, rule as PiiRule, problems);
}

function lintQueryKeys(property: JsonObject, path: string, problems: SchemaProblem[]): void {
  const keys = property['x-pii-query-keys'];
  if (keys === undefined) return;
  const isList = Array.isArray(keys) && keys.every((key) => typeof key === 'string' && key !== '');
  if (property['x-pii'] === 'url' && isList) return;
  problems.push({
    path: `${path}/x-pii-query-keys`,
    message: 'stands beside "x-pii": "url" and lists keys of a query',
  });
}

/** A property's value or an array's items: the type, its bounds, and whether the rule fits it. */
function lintValue(node: JsonObject, path: string, rule: PiiRule, problems: SchemaProblem[]): void {
  const [type = '', ...others] = schemaTypes(node);
  if (!TYPES.includes(type) || others.length > 0) {
    problems.push({ path: `${path}/type`, message: 'must be one type, or one type and null' });
    return;
  }
  if (type === 'object') {
    if (rule !== 'none' && rule !== 'drop') {
      problems.push({ path: `${path}/x-pii`, message: `${rule} does not fit an object` });
    }
    lintObject(node, path, problems);
    return;
  }
  lintForbidden(node, path, problems);
  if (type === 'array') {
    requireBound(node, 'maxItems', path, problems);
    const items = node.items;
    if (isJsonObject(items)) lintValue(items, `${path}/items`, rule, problems);
    else problems.push({ path: `${path}/items`, message: 'must be a schema object' });
    return;
  }
  if (type !== 'string' && rule !== 'none' && rule !== 'drop') {
    problems.push({ path: `${path}/x-pii`, message: `${rule} needs the type string` });
  }
  lintBounds(node, type, path, problems);
}

function lintBounds(node: JsonObject, type: string, path: string, problems: SchemaProblem[]): void {
  if ('enum' in node || 'const' in node || type === 'boolean') return;
  if (type === 'string') requireBound(node, 'maxLength', path, problems);
  if (type !== 'integer' && type !== 'number') return;
  requireBound(node, 'minimum', path, problems);
  requireBound(node, 'maximum', path, problems);
}

/** Bounds within 2^53 also refuse what JSON numbers cannot carry exactly, such as 1e400. */
function requireBound(node: JsonObject, keyword: string, path: string, problems: SchemaProblem[]): void {
  const bound = node[keyword];
  if (typeof bound !== 'number' || Math.abs(bound) > Number.MAX_SAFE_INTEGER) {
    problems.push({ path: `${path}/${keyword}`, message: 'must be given, and within ±(2^53 - 1)' });
  }
}

function lintForbidden(node: JsonObject, path: string, problems: SchemaProblem[]): void {
  for (const keyword of FORBIDDEN) {
    if (keyword in node) problems.push({ path: `${path}/${keyword}`, message: 'is not supported' });
  }
}

function isRequired(node: JsonObject, name: string): boolean {
  const required = node.required;
  return Array.isArray(required) && required.includes(name);
}

function isMatch(pattern: RegExp, value: JsonValue): boolean {
  return typeof value === 'string' && pattern.test(value);
}
