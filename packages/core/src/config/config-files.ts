import type { Dirent } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseDocument } from 'yaml';
import type { z } from 'zod';
import { isJsonObject, type JsonObject, type JsonValue } from '../domain/json.ts';
import type { ConfigMistake } from './config-error.ts';
import { type SourceConfig, sourceSchema } from './source.ts';
import { EVENT_NAME, SCHEMA_VERSION } from './taxonomy.ts';
import { lintTaxonomySchema } from './taxonomy-lint.ts';

const SOURCES = 'sources';
const EVENTS = 'taxonomy/events';
const SCHEMA_SUFFIX = '.schema.json';

/** Reads and validates one YAML file; undefined after adding its mistakes. */
export async function readYamlFile<Output>(
  dir: string,
  file: string,
  schema: z.ZodType<Output>,
  mistakes: ConfigMistake[],
): Promise<Output | undefined> {
  const text = await readText(dir, file, mistakes);
  if (text === undefined) return undefined;
  const document = parseDocument(text);
  const problems = [...document.errors, ...document.warnings];
  for (const { message } of problems) {
    mistakes.push({ file, path: '', message: message.split('\n')[0] ?? message });
  }
  if (problems.length > 0) return undefined;
  const result = schema.safeParse(document.toJS());
  if (result.success) return result.data;
  mistakes.push(...result.error.issues.flatMap((issue) => issueMistakes(file, issue)));
  return undefined;
}

/** Every `sources/<name>.yaml`, by source name. */
export async function readSources(dir: string, mistakes: ConfigMistake[]): Promise<Map<string, SourceConfig>> {
  const sources = new Map<string, SourceConfig>();
  for (const entry of await listDir(dir, SOURCES, mistakes)) {
    const file = `${SOURCES}/${entry.name}`;
    if (!entry.name.endsWith('.yaml')) {
      mistakes.push({ file, path: '', message: 'a source is a file named <source>.yaml' });
      continue;
    }
    const source = await readYamlFile(dir, file, sourceSchema, mistakes);
    if (source === undefined) continue;
    if (`${source.source}.yaml` === entry.name) sources.set(source.source, source);
    else mistakes.push({ file, path: '/source', message: 'must be the name of the file' });
  }
  return sources;
}

/** Every `taxonomy/events/<event>/<version>.schema.json`, by event and version. */
export async function readTaxonomy(
  dir: string,
  mistakes: ConfigMistake[],
): Promise<Map<string, Map<string, JsonObject>>> {
  const taxonomy = new Map<string, Map<string, JsonObject>>();
  for (const event of await listDir(dir, EVENTS, mistakes)) {
    const folder = `${EVENTS}/${event.name}`;
    if (!event.isDirectory() || !EVENT_NAME.test(event.name)) {
      mistakes.push({ file: folder, path: '', message: 'must be a folder named like an event' });
      continue;
    }
    const versions = new Map<string, JsonObject>();
    for (const entry of await listDir(dir, folder, mistakes)) {
      const version = entry.name.slice(0, -SCHEMA_SUFFIX.length);
      const schema = await readTaxonomySchema(dir, `${folder}/${entry.name}`, version, mistakes);
      if (schema !== undefined) versions.set(version, schema);
    }
    taxonomy.set(event.name, versions);
  }
  return taxonomy;
}

async function readTaxonomySchema(
  dir: string,
  file: string,
  version: string,
  mistakes: ConfigMistake[],
): Promise<JsonObject | undefined> {
  if (!file.endsWith(SCHEMA_SUFFIX) || !SCHEMA_VERSION.test(version)) {
    mistakes.push({ file, path: '', message: 'a schema is a file named like 1-0-0.schema.json' });
    return undefined;
  }
  const text = await readText(dir, file, mistakes);
  if (text === undefined) return undefined;
  const schema = parseJson(text);
  if (!isJsonObject(schema)) {
    mistakes.push({ file, path: '', message: 'is not a JSON object' });
    return undefined;
  }
  const problems = lintTaxonomySchema(schema);
  mistakes.push(...problems.map((problem) => ({ file, ...problem })));
  return problems.length === 0 ? schema : undefined;
}

/** The text of a file; undefined after adding why it cannot be read, or if it is optional and not there. */
export async function readText(
  dir: string,
  file: string,
  mistakes: ConfigMistake[],
  { optional = false } = {},
): Promise<string | undefined> {
  try {
    return await readFile(path.join(dir, file), 'utf8');
  } catch (error) {
    const code = systemCode(error);
    if (!(optional && code === 'ENOENT')) mistakes.push({ file, path: '', message: `cannot be read (${code})` });
    return undefined;
  }
}

/** Entries in name order, hidden ones left out, so that mistakes come in the same order everywhere. */
export async function listDir(
  dir: string,
  folder: string,
  mistakes: ConfigMistake[],
  { optional = false } = {},
): Promise<Dirent[]> {
  try {
    const entries = await readdir(path.join(dir, folder), { withFileTypes: true });
    return entries.filter((entry) => !entry.name.startsWith('.')).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    const code = systemCode(error);
    if (!(optional && code === 'ENOENT'))
      mistakes.push({ file: folder, path: '', message: `cannot be read (${code})` });
    return [];
  }
}

/** The code of a file system error; anything else is a bug and goes on. */
function systemCode(error: unknown): string {
  if (error instanceof Error && 'code' in error) return String(error.code);
  throw error;
}

/** Undefined for what is not JSON. */
export function parseJson(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** One mistake per unknown key, so that each is found at its own place. */
export function issueMistakes(file: string, issue: z.core.$ZodIssue): ConfigMistake[] {
  const pointer = issue.path.map((segment) => `/${String(segment)}`).join('');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ file, path: `${pointer}/${key}`, message: 'unknown key' }));
  }
  return [{ file, path: pointer, message: issue.message }];
}
