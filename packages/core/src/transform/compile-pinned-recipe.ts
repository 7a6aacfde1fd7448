import { FatalError } from '../errors.ts';
import type { FileFormat } from '../formats/source-format.ts';
import { compileRecipe, type LineTransformer, type RecipeRuntime } from '../recipe/compile-recipe.ts';
import { keyCheck } from '../recipe/pseudonym.ts';
import { PII_RULES_VERSION, type Recipe } from '../recipe/recipe.ts';

/**
 * Compiles a batch's pinned recipe for the lines of one pinned file.
 *
 * @throws {FatalError} when the keys or the privacy rules are not those that the recipe was pinned with: another
 *   payload would come out.
 */
export function compilePinnedRecipe(recipe: Recipe, runtime: RecipeRuntime, file: FileFormat): LineTransformer {
  for (const [version, check] of Object.entries(recipe.keyChecks)) {
    const key = runtime.keys.get(Number(version));
    if (key === undefined || keyCheck(key) !== check) {
      throw new FatalError(`analytics_salt has not the key version ${version} that this batch was planned with`);
    }
  }
  if (recipe.piiRulesVersion !== PII_RULES_VERSION) {
    throw new FatalError(
      `this batch was planned under version ${recipe.piiRulesVersion} of the privacy rules, and this is version ` +
        `${PII_RULES_VERSION}: roll it back and resume it, which makes a new plan`,
    );
  }
  return compileRecipe(recipe, runtime, file);
}
