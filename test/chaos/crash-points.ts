import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { KeyLayout } from '../support/environment.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const SOURCES = ['packages/core/src', 'services'];
const CALL = /\bcrashPoint\('([a-z]+:[a-z-]+)'\)/g;
/** Steps of two-phase commit, which only happen where the dedup store has a database of its own. */
const STEP_OF_TWO_PHASES = /\bcrashPoint\(`\$\{step\}:([a-z-]+)`\)/g;
const TWO_PHASES = /\bwithKeyTransaction\([^;]*?\bstep: '([a-z]+)'/g;

function sourceFiles(folder: string): string[] {
  return readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.includes('node_modules'))
    .map((file) => path.join(ROOT, folder, file));
}

/**
 * Retention acts on what is months old, of which a run of minutes has nothing (test/integration/expire-crash.test.ts), and
 * nobody asks to be forgotten here (test/integration/erase-crash.test.ts).
 */
const NEVER_HERE = /^(?:retention|erase|forget):/;

/**
 * Every named moment at which the services can be made to die, found in their source, so that a new one is in the
 * suite without being listed.
 */
export function findCrashPoints(layout: KeyLayout): string[] {
  const texts = SOURCES.flatMap(sourceFiles).map((file) => readFileSync(file, 'utf8'));
  const find = (pattern: RegExp) =>
    texts.flatMap((text) => Array.from(text.matchAll(pattern), ([, name = '']) => name));
  const names = new Set(find(CALL));
  if (layout === 'in a database of its own') {
    const steps = find(STEP_OF_TWO_PHASES);
    for (const work of find(TWO_PHASES)) for (const step of steps) names.add(`${work}:${step}`);
  }
  return [...names].filter((name) => !NEVER_HERE.test(name)).sort();
}
