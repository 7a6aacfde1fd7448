import type { JsonObject } from '../domain/json.ts';

/** A taxonomy event's name, also its folder. */
export const EVENT_NAME = /^[a-z][a-z0-9_]{0,62}$/;

/** SchemaVer: model-revision-addition. */
export const SCHEMA_VERSION = /^(0|[1-9]\d{0,5})-(0|[1-9]\d{0,5})-(0|[1-9]\d{0,5})$/;

/** What happens to a property's value before it may leave the transformer. */
export const PII_RULES = ['none', 'drop', 'pseudonymise', 'ip-mask', 'url', 'user-agent', 'scan'] as const;

export type PiiRule = (typeof PII_RULES)[number];

/** Event name → schema version → JSON Schema of the event's properties as they are stored. */
export type Taxonomy = ReadonlyMap<string, ReadonlyMap<string, JsonObject>>;

/** `taxonomy/upcasts/<event>/<from>_<to>.mjs`: lifts an event's properties from one version to a later one. */
export interface Upcast {
  from: string;
  to: string;
  /** Of the text as UTF-8, lower-case hex. */
  sha256: string;
  /** A module as `compileUpcastModule` takes it. */
  text: string;
}

/** Event name → version → the upcast that begins with it. */
export type Upcasts = ReadonlyMap<string, ReadonlyMap<string, Upcast>>;
