import { isJsonObject, type JsonObject, type JsonValue } from '../domain/json.ts';

/** What a sample of records shows about one field. */
export interface FieldStats {
  /** Names with dots between them, as a mapping has it. */
  path: string;
  /** Records in which it is there and neither null nor an empty text. */
  present: number;
  kinds: ReadonlySet<ValueKind>;
  /** Of texts, in UTF-16 code units. */
  maxLength: number;
  /** Of numbers. */
  minimum: number;
  maximum: number;
  /** Every value seen, as JSON text, with how often. */
  values: ReadonlyMap<string, number>;
}

export type ValueKind = 'string' | 'integer' | 'number' | 'boolean' | 'array' | 'object';

const MAX_DEPTH = 8;
const MAX_FIELDS = 300;

interface GrowingStats extends FieldStats {
  kinds: Set<ValueKind>;
  values: Map<string, number>;
}

/** Looks at every field of some records, objects on the way opened. What no path can name is left out. */
export function collectFields(records: readonly JsonObject[]): Map<string, FieldStats> {
  const fields = new Map<string, GrowingStats>();
  for (const record of records) visit(record, '', 0, fields);
  return fields;
}

function visit(node: JsonObject, prefix: string, depth: number, fields: Map<string, GrowingStats>): void {
  for (const [name, value] of Object.entries(node)) {
    if (name === '' || name.includes('.') || name.includes('*') || name in Object.prototype) continue;
    if (value === null || value === '') continue;
    const path = prefix + name;
    if (isJsonObject(value) && depth < MAX_DEPTH) visit(value, `${path}.`, depth + 1, fields);
    else add(path, value, fields);
  }
}

function add(path: string, value: JsonValue, fields: Map<string, GrowingStats>): void {
  let stats = fields.get(path);
  if (stats === undefined) {
    if (fields.size >= MAX_FIELDS) return;
    stats = {
      path,
      present: 0,
      kinds: new Set(),
      maxLength: 0,
      minimum: Number.POSITIVE_INFINITY,
      maximum: Number.NEGATIVE_INFINITY,
      values: new Map(),
    };
    fields.set(path, stats);
  }
  stats.present++;
  stats.kinds.add(kindOf(value));
  if (typeof value === 'string') stats.maxLength = Math.max(stats.maxLength, value.length);
  if (typeof value === 'number') {
    stats.minimum = Math.min(stats.minimum, value);
    stats.maximum = Math.max(stats.maximum, value);
  }
  const text = JSON.stringify(value);
  stats.values.set(text, (stats.values.get(text) ?? 0) + 1);
}

function kindOf(value: JsonValue): ValueKind {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isSafeInteger(value) ? 'integer' : 'number';
  if (typeof value === 'string') return 'string';
  return typeof value === 'boolean' ? 'boolean' : 'object';
}

/** The distinct values of a field. */
export function valuesOf(field: FieldStats): JsonValue[] {
  return [...field.values.keys()].map((text) => JSON.parse(text) as JsonValue);
}

/** The last name of a path, lower case, without anything but letters and digits. */
export function plainName(path: string): string {
  return path
    .slice(path.lastIndexOf('.') + 1)
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '');
}

/** A name as the taxonomy wants it: `Signup Started` and `signupStarted` become `signup_started`. */
export function snakeName(text: string): string {
  const words = text
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_|_$/g, '');
  const name = (/^[a-z]/.test(words) ? words : `x_${words}`).slice(0, 60).replace(/_$/, '');
  return name in Object.prototype ? `x_${name}` : name;
}
