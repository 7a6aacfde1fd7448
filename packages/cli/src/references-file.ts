import { readFileSync } from 'node:fs';
import type { KpiReference } from '@backfill/core/domain/kpi';

/** What a `--references` file holds: a JSON list, which the API judges; or what is wrong with the file. */
export function readReferences(file: string): { references: KpiReference[] } | { mistake: string } {
  const name = `--references ${file}`;
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    return { mistake: `${name} cannot be read (${(error as NodeJS.ErrnoException).code})` };
  }
  try {
    const references: unknown = JSON.parse(text);
    if (Array.isArray(references)) return { references };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return { mistake: `${name} is not a JSON list like [{"kpi", "day", "value", "source"}]` };
}
