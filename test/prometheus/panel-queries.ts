import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { DASHBOARDS_DIR } from '@backfill/infra/grafana/dashboards';

/** A query of a panel, with variables in place. */
export interface PanelQuery {
  /** `dashboard.json: panel`. */
  where: string;
  expression: string;
}

interface Panel {
  title: string;
  targets?: { expr: string }[];
}

/**
 * Every query of every dashboard, from the files that Grafana reads.
 *
 * @param variables by their names; none may be left over
 */
export async function readPanelQueries(variables: Readonly<Record<string, string>>): Promise<PanelQuery[]> {
  const queries: PanelQuery[] = [];
  for (const file of await readdir(DASHBOARDS_DIR)) {
    const { panels } = JSON.parse(await readFile(path.join(DASHBOARDS_DIR, file), 'utf8')) as { panels: Panel[] };
    for (const { title, targets = [] } of panels) {
      for (const { expr } of targets) {
        const expression = Object.entries(variables).reduce(
          (text, [name, value]) => text.replaceAll(`$${name}`, value),
          expr,
        );
        if (expression.includes('$')) throw new Error(`${file}: ${title}: a variable is left in ${expression}`);
        queries.push({ where: `${file}: ${title}`, expression });
      }
    }
  }
  return queries;
}
