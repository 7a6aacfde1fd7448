import { hash } from 'node:crypto';
import { compareSchemaVersions } from '../domain/schema-version.ts';
import type { ConfigMistake } from './config-error.ts';
import { listDir, readText } from './config-files.ts';
import { SCHEMA_VERSION, type Taxonomy, type Upcast, type Upcasts } from './taxonomy.ts';
import { upcastProblem } from './upcast-module.ts';

const UPCASTS = 'taxonomy/upcasts';
const SUFFIX = '.mjs';

/** Every `taxonomy/upcasts/<event>/<from>_<to>.mjs`, by event and the version it begins with. Runs none of them. */
export async function readUpcasts(dir: string, taxonomy: Taxonomy, mistakes: ConfigMistake[]): Promise<Upcasts> {
  const upcasts = new Map<string, Map<string, Upcast>>();
  for (const event of await listDir(dir, UPCASTS, mistakes, { optional: true })) {
    const folder = `${UPCASTS}/${event.name}`;
    const versions = taxonomy.get(event.name);
    if (!event.isDirectory() || versions === undefined) {
      mistakes.push({ file: folder, path: '', message: 'must be a folder named like an event of the taxonomy' });
      continue;
    }
    const byFrom = new Map<string, Upcast>();
    for (const entry of await listDir(dir, folder, mistakes)) {
      const file = `${folder}/${entry.name}`;
      const upcast = await readUpcast(dir, file, entry.name, versions, mistakes);
      if (upcast === undefined) continue;
      const other = byFrom.get(upcast.from);
      if (other === undefined) byFrom.set(upcast.from, upcast);
      else mistakes.push({ file, path: '', message: `there is one from ${upcast.from} already, to ${other.to}` });
    }
    upcasts.set(event.name, byFrom);
  }
  return upcasts;
}

async function readUpcast(
  dir: string,
  file: string,
  name: string,
  versions: ReadonlyMap<string, unknown>,
  mistakes: ConfigMistake[],
): Promise<Upcast | undefined> {
  const add = (message: string): undefined => {
    mistakes.push({ file, path: '', message });
  };
  const [from = '', to = '', ...others] = name.slice(0, -SUFFIX.length).split('_');
  const isNamed = name.endsWith(SUFFIX) && others.length === 0 && SCHEMA_VERSION.test(from) && SCHEMA_VERSION.test(to);
  if (!isNamed) return add('an upcast is a file named like 1-0-0_2-0-0.mjs');
  if (compareSchemaVersions(from, to) >= 0) return add('must lead to a later version');
  for (const version of [from, to]) {
    if (!versions.has(version)) return add(`there is no schema ${version} (or it has mistakes)`);
  }
  const text = await readText(dir, file, mistakes);
  if (text === undefined) return undefined;
  const problem = upcastProblem(text);
  return problem === undefined ? { from, to, sha256: hash('sha256', text, 'hex'), text } : add(problem);
}
