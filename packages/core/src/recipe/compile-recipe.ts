import type { RawLine } from '../formats/raw-line.ts';
import type { FileFormat } from '../formats/source-format.ts';
import { type CleanerRuntime, compileCleaner } from './compile-cleaner.ts';
import { compileFinisher } from './compile-finisher.ts';
import { type LineOutcome, SUPPRESSED } from './line-outcome.ts';
import type { Recipe } from './recipe.ts';

/** What a recipe needs that is not pinned: the keys, and who must not come back. */
export type RecipeRuntime = CleanerRuntime;

/** Turns one raw line into its outcome. Never throws for what stands in the line. */
export type LineTransformer = (line: RawLine) => LineOutcome;

/**
 * Compiles a recipe into a function over lines. The checks stand in this order, and the first
 * that applies decides:
 *
 * 1. longer than the limit, not UTF-8: quarantined; blank, header or comment: filtered; not of the format: quarantined
 * 2. time missing or unreadable: quarantined; outside the window: filtered, whatever else is
 *    wrong with the line, because it is another batch's line; from the future: quarantined
 * 3. event name missing: quarantined; not mapped: filtered
 * 4. older than the retention cut-off: expired
 * 5. record, session or subject id unusable: quarantined; subject suppressed: suppressed, before
 *    anything else of that person is looked at
 * 6. properties by the allow-list and the PII rules, after upcasts where the record is of an older version: no way up
 *    from it, an upcast that fails, a find where the source wants quarantine, or not as the schema wants: quarantined
 * 7. payload and event id: quarantined where a text cannot be written as RFC 8785 JSON
 *
 * Up to 6 it is `compileCleaner`, behind which nothing raw is left; 7 is `compileFinisher`. The lines of a pseudonymised
 * copy went through the first half when it was made (see `compileCopiedRecipe`).
 *
 * @param file what the plan pinned of the lines' file; may be left out for lines of a format that needs no header
 */
export function compileRecipe(
  recipe: Recipe,
  runtime: RecipeRuntime,
  file: FileFormat = formatWithoutHeader(recipe),
): LineTransformer {
  const clean = compileCleaner(recipe, runtime, file);
  const finish = compileFinisher(recipe);
  return (line) => (line.isErased === true ? SUPPRESSED : finish(clean(line), line));
}

function formatWithoutHeader(recipe: Recipe): FileFormat {
  return { format: recipe.source.format ?? 'ndjson', header: null };
}
