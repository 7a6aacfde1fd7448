import type { SourceConfig } from '../config/source.ts';
import { isJsonObject, type JsonObject } from '../domain/json.ts';
import { compilePath } from '../recipe/read-path.ts';
import { collectFields, valuesOf } from './field-stats.ts';

type ColumnTypes = NonNullable<NonNullable<SourceConfig['csv']>['types']>;

/** No leading zero: what has one is a code, not a number. */
const NUMBER = /^-?(?:0|[1-9]\d{0,14})(?:\.\d{1,9})?$/;
const TRUTH = /^(?:true|false)$/i;

/** The columns of sampled CSV records that are more than text. */
export function findCsvTypes(records: readonly JsonObject[]): ColumnTypes {
  const types: ColumnTypes = {};
  for (const field of collectFields(records).values()) {
    const texts = valuesOf(field).map(String);
    if (texts.every((text) => NUMBER.test(text))) types[field.path] = 'number';
    else if (texts.every((text) => TRUTH.test(text))) types[field.path] = 'boolean';
  }
  return types;
}

/** The records as they are read once the source file names the types. */
export function withCsvTypes(records: readonly JsonObject[], types: ColumnTypes): JsonObject[] {
  const typed = structuredClone(records) as JsonObject[];
  for (const [path, type] of Object.entries(types)) {
    const parent = path.includes('.') ? path.slice(0, path.lastIndexOf('.')) : undefined;
    const name = path.slice(path.lastIndexOf('.') + 1);
    const readParent = parent === undefined ? (record: JsonObject) => record : compilePath(parent);
    for (const record of typed) {
      const place = readParent(record);
      const text = isJsonObject(place) ? place[name] : undefined;
      if (!isJsonObject(place) || typeof text !== 'string') continue;
      place[name] = type === 'number' ? Number(text) : text.toLowerCase() === 'true';
    }
  }
  return typed;
}
