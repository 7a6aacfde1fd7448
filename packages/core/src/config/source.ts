import { z } from 'zod';
import { DETECTOR_NAMES } from '../domain/detector-name.ts';
import { parseZoneOffset, TIME_FORMATS } from '../domain/event-time.ts';
import { COLUMN_TYPES, FORMAT_NAMES } from '../domain/format-name.ts';
import { SOURCE_NAME } from '../domain/source-name.ts';
import { EVENT_NAME, SCHEMA_VERSION } from './taxonomy.ts';

const MAX_PATH_SEGMENTS = 16;

/** A place in a raw record: names with dots between them. */
const rawPath = z.string().superRefine((path, context) => {
  const problem = rawPathProblem(path);
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
});

const time = z.strictObject({
  path: rawPath,
  format: z.enum(TIME_FORMATS),
  /** Offset of times that name no zone, such as `+01:00`; without it they are refused. */
  zone: z
    .string()
    .refine((zone) => parseZoneOffset(zone) !== undefined, 'is not an offset like +01:00 or Z')
    .optional(),
});

const eventName = z.union([
  z.strictObject({ constant: z.string().regex(EVENT_NAME) }),
  z.strictObject({
    path: rawPath,
    /** Raw name → taxonomy name. Without it the raw names are the taxonomy's. */
    values: z.record(z.string().min(1), z.string().regex(EVENT_NAME)).optional(),
  }),
]);

/** The taxonomy version in which a raw record is written, where that is not the pinned one. */
const schemaVersion = z.union([
  z.strictObject({ constant: z.string().regex(SCHEMA_VERSION) }),
  z.strictObject({
    path: rawPath,
    /** For records that name none; without it they are quarantined. */
    default: z.string().regex(SCHEMA_VERSION).optional(),
  }),
]);

/** A raw identifier: kept only where it names no person (`none`). */
const identifier = z.discriminatedUnion('pii', [
  z.strictObject({
    path: rawPath,
    pii: z.literal('pseudonymise'),
    /** Equal identifiers of different domains get different pseudonyms. */
    domain: z.string().regex(/^[a-z][a-z0-9_]{0,31}$/),
  }),
  z.strictObject({ path: rawPath, pii: z.literal('none') }),
]);

export const PSEUDONYM_MODES = ['hmac', 'sha256-salt-suffix', 'passthrough'] as const;

export const REGIONS = ['eu', 'non-eu'] as const;

export type Region = (typeof REGIONS)[number];

export type PseudonymMode = (typeof PSEUDONYM_MODES)[number];

const csv = z.strictObject({
  delimiter: z.enum([',', ';', '|', '\t']).optional(),
  /** Names of the columns of files without a header row. */
  columns: z.array(z.string().min(1)).min(1).max(2_000).optional(),
  /** Of columns that are not text. */
  types: z.record(z.string().min(1), z.enum(COLUMN_TYPES)).optional(),
});

const scalar = z.union([z.string(), z.number(), z.boolean()]);

/** A property's value: a place in the raw record, perhaps with a table of values, or always the same. */
const propertyMapping = z.union(
  [
    z.string().min(1),
    z.strictObject({
      path: z.string().min(1),
      /** Raw value, as text → stored value. What is not in the table stays as it is, for the schema to judge. */
      values: z.record(z.string(), scalar),
    }),
    z.strictObject({ constant: scalar }),
  ],
  'is a path, a path with values, or a constant',
);

/** `sources/<source>.yaml`. */
export const sourceSchema = z.strictObject({
  version: z.literal(1),
  source: z.string().regex(SOURCE_NAME),
  /** Without it, each file's format is found by its content. */
  format: z.enum(FORMAT_NAMES).optional(),
  /** How CSV files are written; what is left out, a file's header row tells. */
  csv: csv.optional(),
  /** Where the data was collected. Raw data from outside the EU is not kept: its mirror is a pseudonymised copy. */
  region: z.enum(REGIONS),
  /** What a find in a `scan` field does (by default it is masked), and which detectors look (by default all). */
  pii: z
    .strictObject({
      scan: z.enum(['mask', 'drop', 'quarantine']).optional(),
      detectors: z
        .array(z.enum(DETECTOR_NAMES))
        .refine((list) => new Set(list).size === list.length, 'names a detector twice')
        .optional(),
    })
    .optional(),
  /** How raw identifiers become pseudonyms; `passthrough` for a source whose ids are pseudonyms already. */
  pseudonym: z.enum(PSEUDONYM_MODES),
  /**
   * What makes an event itself: the record's own id; nothing but its content (for sources that number nothing and may
   * deliver a record twice); or its content and how often it stood in its file before (for sources that number nothing
   * and write each record once, such as access logs with times of one second).
   */
  identity: z.enum(['record-id', 'payload', 'payload+occurrence']),
  /** Taxonomy events that the source produces, and the schema version of each. */
  events: z.record(z.string().regex(EVENT_NAME), z.string().regex(SCHEMA_VERSION)),
  mapping: z.strictObject({
    time,
    event_name: eventName,
    /** Without it every record is in the version that `events` pins. */
    schema_version: schemaVersion.optional(),
    record_id: identifier.optional(),
    session_id: identifier.optional(),
    subject_id: identifier.optional(),
    /** Taxonomy property ← where its value comes from; the name `*` stands for every other one. */
    properties: z.record(z.string().min(1), propertyMapping),
  }),
});

export type SourceConfig = z.infer<typeof sourceSchema>;

/** How a raw identifier is found and what may be kept of it. */
export type IdentifierMapping = z.infer<typeof identifier>;

/** What is wrong with a path into a raw record; undefined when it is good. */
export function rawPathProblem(path: string): string | undefined {
  const segments = path.split('.');
  if (segments.includes('')) return 'has an empty name';
  if (segments.length > MAX_PATH_SEGMENTS) return `has more than ${MAX_PATH_SEGMENTS} names`;
  // Such a name would be found on every object, whether the record has it or not.
  const inherited = segments.find((segment) => segment in Object.prototype);
  return inherited === undefined ? undefined : `cannot read a field named ${inherited}`;
}

/**
 * Where a taxonomy property stands in the raw record; undefined if the mapping does not say.
 * `{ '*': 'data.*' }` reads every property from the field of its own name in `data`.
 */
export function propertyPath(properties: SourceConfig['mapping']['properties'], property: string): string | undefined {
  const own = properties[property];
  if (typeof own === 'object') return 'path' in own ? own.path : undefined;
  const rest = properties['*'];
  return own ?? (typeof rest === 'string' ? rest.replace('*', () => property) : undefined);
}
