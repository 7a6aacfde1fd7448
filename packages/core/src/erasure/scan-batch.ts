import type { ErasedLine } from '../db/queries/erased-collect.ts';
import type { MirrorObject } from '../db/queries/mirror-object-list.ts';
import { listBatchOccurrences } from '../db/queries/occurrences.ts';
import { FatalError } from '../errors.ts';
import type { RawLine } from '../formats/raw-line.ts';
import type { LineTransformer } from '../recipe/compile-recipe.ts';
import { countsOccurrences, type Recipe } from '../recipe/recipe.ts';
import { archiveLayout } from '../storage/layout.ts';
import { compilePinnedRecipe } from '../transform/compile-pinned-recipe.ts';
import type { ErasureWork } from './erasure-work.ts';
import { compilePersonFinder } from './find-person.ts';
import { readMirrorFile } from './mirror-file.ts';

/** What a line was that has no row in the ledger: those only count. */
function wasOf(transform: LineTransformer | undefined, line: RawLine): ErasedLine['was'] {
  const outcome = transform?.(line).outcome;
  return outcome === 'filtered' || outcome === 'expired' ? outcome : 'other';
}

/** Undefined for a batch of other rules or keys: it cannot be verified any more, so nobody compares its counts. */
function compile(...args: Parameters<typeof compilePinnedRecipe>): LineTransformer | undefined {
  try {
    return compilePinnedRecipe(...args);
  } catch (error) {
    if (error instanceof FatalError) return undefined;
    throw error;
  }
}

/**
 * Reads a mirrored file and finds the lines of people who are to be forgotten.
 *
 * @param known lines that are theirs as the ledger, or somebody who has the clear id, says: line → erasure
 */
export async function findErasedLines(
  work: ErasureWork,
  { batchId, recipe, file }: { batchId: string; recipe: Recipe; file: MirrorObject },
  known: ReadonlyMap<number, number>,
): Promise<ErasedLine[]> {
  const { store, config, keys, people, signal, pool } = work;
  const key = archiveLayout.mirrorObject(batchId, file.source_file);
  const personOf = compilePersonFinder(recipe, keys, people, file);
  const transform = compile(recipe, { keys, isSuppressed: () => false }, file);
  const found: ErasedLine[] = [];
  const place = { store, bucket: config.storage.archiveBucket, key };
  for await (const lines of readMirrorFile(place, file, signal)) {
    for (const line of lines) {
      const person = known.get(line.lineNo) ?? personOf(line);
      if (typeof person !== 'number') continue;
      if (countsOccurrences(recipe)) {
        const span = { firstLine: line.lineNo, lastLine: line.lineNo };
        const occurrence = (await listBatchOccurrences(pool, batchId, file.file_no, span)).get(line.lineNo);
        if (occurrence !== undefined) line.occurrence = occurrence;
      }
      found.push({ file_no: file.file_no, line_no: line.lineNo, erasure_id: person, was: wasOf(transform, line) });
    }
  }
  return found;
}
