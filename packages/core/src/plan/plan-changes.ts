import { isDeepStrictEqual } from 'node:util';
import type { ManifestEntry, Plan } from './plan.ts';

const MOST_NAMES = 3;

/** What differs between two plans of a batch, for the person who signed the first: one line for each thing. */
export function describePlanChanges(from: Plan, to: Plan): string[] {
  return [
    ...fileChanges(from.manifest, to.manifest),
    ...partChanges('recipe', from.recipe, to.recipe),
    ...partChanges('gates', from.policy.gates, to.policy.gates),
    ...partChanges('policy', { ...from.policy, gates: undefined }, { ...to.policy, gates: undefined }),
    ...(isDeepStrictEqual(from.retentionException, to.retentionException) ? [] : ['the retention exception']),
  ];
}

function fileChanges(from: readonly ManifestEntry[], to: readonly ManifestEntry[]): string[] {
  const byName = (files: readonly ManifestEntry[]) => new Map(files.map((file) => [file.source_file, file]));
  const [was, is] = [byName(from), byName(to)];
  const added = [...is.keys()].filter((name) => !was.has(name));
  const gone = [...was.keys()].filter((name) => !is.has(name));
  const changed = [...is.keys()].filter((name) => was.has(name) && !isDeepStrictEqual(was.get(name), is.get(name)));
  return [...names('new files', added), ...names('files gone', gone), ...names('changed files', changed)];
}

function names(what: string, files: readonly string[]): string[] {
  if (files.length === 0) return [];
  const shown = files.slice(0, MOST_NAMES).join(', ');
  const more = files.length > MOST_NAMES ? `, and ${files.length - MOST_NAMES} more` : '';
  return [`${what}: ${shown}${more}`];
}

/** Names the members that differ; numbers with what they were and are. */
function partChanges(what: string, from: object, to: object): string[] {
  const [was, is] = [from as Record<string, unknown>, to as Record<string, unknown>];
  const keys = [...new Set([...Object.keys(was), ...Object.keys(is)])].sort();
  const changed = keys.filter((key) => !isDeepStrictEqual(was[key], is[key]));
  if (changed.length === 0) return [];
  const described = changed.map((key) =>
    typeof was[key] === 'number' && typeof is[key] === 'number' ? `${key} (${was[key]} became ${is[key]})` : key,
  );
  return [`${what}: ${described.join(', ')}`];
}
