import { isUtf8 } from 'node:buffer';
import type { RawLine } from '../formats/raw-line.ts';
import type { CleanedEvent, CleanedLine } from './cleaned-line.ts';
import { compileFinisher } from './compile-finisher.ts';
import type { RecipeRuntime } from './compile-recipe.ts';
import { compileSchemas } from './compile-schemas.ts';
import { readCopyLine } from './copy-line.ts';
import { type LineOutcome, SUPPRESSED } from './line-outcome.ts';
import type { Recipe } from './recipe.ts';

/** Turns one line of a pseudonymised copy into its outcome; undefined for a line that no copy under this recipe has. */
export type CopiedLineTransformer = (line: RawLine) => LineOutcome | undefined;

/**
 * Compiles what is left to do for the lines of a copy: whom to leave out, payload and event id. Outcomes are those that
 * `compileRecipe` gives for the raw line. Of what a copy holds, form, window, event, version and schema are looked at
 * again; PII rules are not, because a pseudonym of a pseudonym is another one. A copy that was changed within these
 * bounds is seen by the balance gate, which knows its sha256.
 */
export function compileCopiedRecipe(
  recipe: Recipe,
  { isSuppressed }: Pick<RecipeRuntime, 'isSuppressed'>,
): CopiedLineTransformer {
  const finish = compileFinisher(recipe);
  const isOfRecipe = compileEventCheck(recipe);
  return (line) => {
    if (line.isErased === true) return SUPPRESSED;
    const { bytes } = line;
    const cleaned = bytes !== undefined && isUtf8(bytes) ? readCopyLine(bytes.toString('utf8')) : undefined;
    if (cleaned === undefined) return undefined;
    if (cleaned.outcome === 'cleaned' && !isOfRecipe(cleaned.event)) return undefined;
    const subjectId = subjectOf(cleaned);
    if (subjectId !== null && isSuppressed(subjectId)) return SUPPRESSED;
    return finish(cleaned, line);
  };
}

function subjectOf(cleaned: CleanedLine): string | null {
  if (cleaned.outcome === 'cleaned') return cleaned.event.subjectId;
  return cleaned.outcome === 'quarantined' ? (cleaned.subjectId ?? null) : null;
}

/** True for an event of the recipe's window and taxonomy. */
function compileEventCheck(recipe: Recipe): (event: CleanedEvent) => boolean {
  const schemaOf = compileSchemas(recipe);
  const { startMs, endMs } = recipe.window;
  const firstMs = Math.max(startMs, recipe.retentionCutoffMs ?? startMs);
  const latestMs = recipe.latestEventMs ?? Number.POSITIVE_INFINITY;
  const needsRecordId = recipe.source.identity === 'record-id';
  return ({ eventName, schemaVersion, eventTsMs, recordId, properties }) => {
    if (eventTsMs < firstMs || eventTsMs >= endMs || eventTsMs > latestMs) return false;
    if (needsRecordId && recordId === null) return false;
    return schemaOf(eventName, schemaVersion)?.(properties) === true;
  };
}
