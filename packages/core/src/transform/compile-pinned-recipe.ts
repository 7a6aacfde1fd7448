import { COPY_FORMAT } from '../domain/format-name.ts';
import { FatalError } from '../errors.ts';
import type { FileFormat, StoredFormat } from '../formats/source-format.ts';
import { compileCleaner, type LineCleaner } from '../recipe/compile-cleaner.ts';
import { compileCopiedRecipe } from '../recipe/compile-copied-recipe.ts';
import { compileRecipe, type LineTransformer, type RecipeRuntime } from '../recipe/compile-recipe.ts';
import type { KeyRing } from '../recipe/key-ring.ts';
import { keyCheck } from '../recipe/pseudonym.ts';
import { PII_RULES_VERSION, type Recipe } from '../recipe/recipe.ts';

/** A file as it is stored, and what errors call it. */
export type StoredFile = StoredFormat & { source_file: string };

/**
 * Compiles a batch's pinned recipe for the lines of one pinned file, or of its pseudonymised copy.
 *
 * @throws {FatalError} when the keys or the privacy rules are not those that the recipe was pinned with: another
 *   payload would come out. The compiled function throws it for a line of a copy that was changed.
 */
export function compilePinnedRecipe(recipe: Recipe, runtime: RecipeRuntime, file: StoredFile): LineTransformer {
  const { format, header } = file;
  if (format === COPY_FORMAT) return compileCopy(recipe, runtime, file.source_file);
  checkPinned(recipe, runtime);
  return compileRecipe(recipe, runtime, { format, header });
}

/**
 * Compiles what a batch's pinned recipe makes of the lines of one pinned file for its pseudonymised copy. Nobody is
 * left out: the same input always gives the same copy.
 *
 * @throws {FatalError} as {@link compilePinnedRecipe} does.
 */
export function compilePinnedCleaner(
  recipe: Recipe,
  runtime: Omit<RecipeRuntime, 'isSuppressed'>,
  file: FileFormat,
): LineCleaner {
  checkPinned(recipe, runtime);
  return compileCleaner(recipe, { ...runtime, isSuppressed: () => false }, file);
}

function checkPinned(recipe: Recipe, { keys }: Pick<RecipeRuntime, 'keys'>): void {
  requirePinnedKeys(recipe, keys);
  if (recipe.piiRulesVersion !== PII_RULES_VERSION) {
    throw new FatalError(
      `this batch was planned under version ${recipe.piiRulesVersion} of the privacy rules, and this is version ` +
        `${PII_RULES_VERSION}: roll it back and resume it, which makes a new plan`,
    );
  }
}

/** @throws {FatalError} when a key is not the one that the recipe was pinned with. */
export function requirePinnedKeys(recipe: Recipe, keys: KeyRing): void {
  for (const [version, check] of Object.entries(recipe.keyChecks)) {
    const key = keys.get(Number(version));
    if (key === undefined || keyCheck(key) !== check) {
      throw new FatalError(
        `analytics_salt has not the key version ${version} that this batch was planned with: put that key into ` +
          'ANALYTICS_SALT_FILE and restart, then resume',
      );
    }
  }
}

/** A copy is finished as it is: keys and privacy rules were needed to make it. */
function compileCopy(recipe: Recipe, runtime: RecipeRuntime, sourceFile: string): LineTransformer {
  const transform = compileCopiedRecipe(recipe, runtime);
  return (line) => {
    const outcome = transform(line);
    if (outcome !== undefined) return outcome;
    throw new FatalError(
      `${sourceFile}: line ${line.lineNo} of its pseudonymised copy in the mirror is not as it was written: roll the ` +
        'batch back and resume it, which makes a new copy',
    );
  };
}
