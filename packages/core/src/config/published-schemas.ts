import { hash } from 'node:crypto';
import { z } from 'zod';
import { canonicalJson } from '../domain/canonical-json.ts';
import type { JsonObject } from '../domain/json.ts';
import type { ConfigMistake } from './config-error.ts';
import { issueMistakes, parseJson, readText } from './config-files.ts';
import type { Taxonomy } from './taxonomy.ts';

/** The lock file: what has been published, and must stay as it is. */
export const PUBLISHED_FILE = 'taxonomy/published.json';

const publishedSchema = z.strictObject({
  version: z.literal(1),
  /** `<event>/<version>` → sha256 of the schema's canonical JSON, lower-case hex. */
  schemas: z.record(z.string(), z.string().regex(/^[0-9a-f]{64}$/)),
});

/** `<event>/<version>` → sha256 of the schema's canonical JSON. */
export type PublishedSchemas = Readonly<Record<string, string>>;

/** Reads `taxonomy/published.json`; without the file nothing has been published. */
export async function readPublishedSchemas(dir: string, mistakes: ConfigMistake[]): Promise<PublishedSchemas> {
  const text = await readText(dir, PUBLISHED_FILE, mistakes, { optional: true });
  if (text === undefined) return {};
  const result = publishedSchema.safeParse(parseJson(text));
  if (result.success) return result.data.schemas;
  mistakes.push(...result.error.issues.flatMap((issue) => issueMistakes(PUBLISHED_FILE, issue)));
  return {};
}

/** The text of a lock file with every schema of a taxonomy. */
export function publishedText(taxonomy: Taxonomy): string {
  const schemas = Object.fromEntries(
    schemaNames(taxonomy).map(({ name, schema }): [string, string] => [name, schemaDigest(schema)]),
  );
  return `${JSON.stringify({ version: 1, schemas }, null, 2)}\n`;
}

/** The schemas that are not in the lock file yet, by name. */
export function unpublishedSchemas(taxonomy: Taxonomy, published: PublishedSchemas): string[] {
  return schemaNames(taxonomy)
    .map(({ name }) => name)
    .filter((name) => !Object.hasOwn(published, name));
}

/**
 * Adds a mistake for every published schema that has changed or is gone. Files with mistakes of their own are missing
 * from a taxonomy that was read: they are named already.
 */
export function checkPublishedSchemas(
  taxonomy: Taxonomy,
  published: PublishedSchemas,
  mistakes: ConfigMistake[],
): void {
  const current = new Map(schemaNames(taxonomy).map(({ name, schema }) => [name, schema]));
  const named = new Set(mistakes.map(({ file }) => file));
  for (const [name, digest] of Object.entries(published)) {
    const file = `taxonomy/events/${name}.schema.json`;
    const schema = current.get(name);
    if (schema === undefined) {
      if (!named.has(file)) mistakes.push({ file, path: '', message: 'is published and cannot be removed' });
    } else if (schemaDigest(schema) !== digest) {
      mistakes.push({ file, path: '', message: 'is published and cannot change: make a new version' });
    }
  }
}

function schemaNames(taxonomy: Taxonomy): { name: string; schema: JsonObject }[] {
  return [...taxonomy].flatMap(([eventName, versions]) =>
    [...versions].map(([version, schema]) => ({ name: `${eventName}/${version}`, schema })),
  );
}

/** Of the canonical form, so that a formatter may touch the file. */
function schemaDigest(schema: JsonObject): string {
  return hash('sha256', canonicalJson(schema), 'hex');
}
