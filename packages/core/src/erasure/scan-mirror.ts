import type { ErasedLine } from '../db/queries/erased-collect.ts';
import type { MirrorObject } from '../db/queries/mirror-object-list.ts';
import type { LinePlace } from '../db/queries/person-line-list.ts';
import { getPlan } from '../db/queries/plan-get.ts';
import type { BatchToErase } from './batch-to-erase.ts';
import type { ErasureWork } from './erasure-work.ts';
import { findErasedLines } from './scan-batch.ts';
import { type Objects, tryObject } from './try-object.ts';

/** Finds the lines of the batch's mirror that are to be emptied. */
export async function scanMirror(
  work: ErasureWork,
  { batch, erasureId }: BatchToErase,
  files: readonly MirrorObject[],
  ledger: readonly LinePlace[],
  objects: Objects,
): Promise<ErasedLine[]> {
  const plan = await getPlan(work.pool, batch.batch_id);
  if (plan === undefined) return [];
  const found: ErasedLine[] = [];
  for (const file of files) {
    const known = new Map(
      ledger.filter((line) => line.file_no === file.file_no).map((line) => [line.line_no, erasureId]),
    );
    const place = { batchId: batch.batch_id, recipe: plan.recipe, file };
    const ofFile = await tryObject(work, objects, () => findErasedLines(work, place, known));
    for (const line of ofFile ?? []) found.push(line);
  }
  return found;
}
