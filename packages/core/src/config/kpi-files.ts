import { readFile } from 'node:fs/promises';
import { isKpiName, KPI_NAMES, type KpiName } from '../domain/kpi.ts';
import type { ConfigMistake } from './config-error.ts';
import { listDir, readText } from './config-files.ts';
import { kpiDefinitionProblem } from './kpi-definition.ts';

const FOLDER = 'kpi';
const SUFFIX = '.sql';
/** What counts where a configuration directory says nothing. */
const DEFAULTS = new URL('../../kpi/', import.meta.url);

/** The definition of each KPI: the text of a SELECT. */
export type KpiDefinitions = Readonly<Record<KpiName, string>>;

/** The definitions that ship with the software. */
export async function readDefaultKpis(): Promise<KpiDefinitions> {
  const texts = KPI_NAMES.map(
    async (name) => [name, await readFile(new URL(name + SUFFIX, DEFAULTS), 'utf8')] as const,
  );
  return Object.fromEntries(await Promise.all(texts)) as KpiDefinitions;
}

/** Every `kpi/<kpi>.sql`; a KPI without a file of its own has the definition that ships with the software. */
export async function readKpis(dir: string, mistakes: ConfigMistake[]): Promise<KpiDefinitions> {
  const kpis: Record<KpiName, string> = { ...(await readDefaultKpis()) };
  for (const entry of await listDir(dir, FOLDER, mistakes, { optional: true })) {
    const file = `${FOLDER}/${entry.name}`;
    const name = entry.name.slice(0, -SUFFIX.length);
    if (!entry.name.endsWith(SUFFIX) || !isKpiName(name)) {
      const names = KPI_NAMES.map((known) => known + SUFFIX).join(', ');
      mistakes.push({ file, path: '', message: `is no definition of a KPI; there are: ${names}` });
      continue;
    }
    const text = await readText(dir, file, mistakes);
    if (text === undefined) continue;
    const problem = kpiDefinitionProblem(text);
    if (problem === undefined) kpis[name] = text;
    else mistakes.push({ file, path: '', message: problem });
  }
  return kpis;
}
