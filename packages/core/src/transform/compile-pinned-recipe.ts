import type { KeyObject } from 'node:crypto';
import { FatalError } from '../errors.ts';
import { compileRecipe, type LineTransformer } from '../recipe/compile-recipe.ts';
import { keyCheck } from '../recipe/pseudonym.ts';
import type { Recipe } from '../recipe/recipe.ts';

/**
 * Compiles a batch's pinned recipe.
 *
 * @throws {FatalError} when the salt is not the key that the recipe was pinned with: other pseudonyms would come out.
 */
export function compilePinnedRecipe(
  recipe: Recipe,
  runtime: { salt: KeyObject; isSuppressed(subjectId: string): boolean },
): LineTransformer {
  if (recipe.keyChecks['1'] !== keyCheck(runtime.salt)) {
    throw new FatalError('analytics_salt is not the key that this batch was planned with');
  }
  return compileRecipe(recipe, runtime);
}
