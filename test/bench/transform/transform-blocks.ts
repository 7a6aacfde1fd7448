import { createRecordScanner } from '@backfill/core/formats/formats';
import { readRecords } from '@backfill/core/formats/read-records';
import type { FileFormat } from '@backfill/core/formats/source-format';
import { PiiCounter } from '@backfill/core/recipe/pii-counter';
import type { Recipe } from '@backfill/core/recipe/recipe';
import { compilePinnedRecipe } from '@backfill/core/transform/compile-pinned-recipe';
import { cutParts } from '@backfill/core/transform/cut-parts';
import { BENCH_KEYS } from './bench-recipe.ts';

export const BENCH_FILE: FileFormat = { format: 'ndjson', header: null };
/** The most a part has. */
const PART_LINES = 50_000;
const SUPPRESSED = new Set(['p1_AAAAAAAAAAAAAAAAAAAAAA']);

/** Nobody among the generated persons, but asked for each of them. */
export const isSuppressed = (subjectId: string): boolean => SUPPRESSED.has(subjectId);

async function* streamed(blocks: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* blocks;
}

/**
 * What a transformer does with a chunk, without storage and database: bytes to lines to events to import parts.
 *
 * @returns how many lines became events
 */
export async function transformBlocks(recipe: Recipe, blocks: readonly Buffer[], lineCount: number): Promise<number> {
  const transform = compilePinnedRecipe(
    recipe,
    { keys: BENCH_KEYS, isSuppressed, observer: new PiiCounter() },
    { ...BENCH_FILE, source_file: 'bench.ndjson' },
  );
  const scanner = createRecordScanner(BENCH_FILE, { firstLine: 1, maxLineBytes: recipe.limits.maxLineBytes });
  const chunk = { batch_id: 'bench', source_file: 'bench.ndjson', first_line: 1, line_count: lineCount };
  const parts = cutParts(readRecords(streamed(blocks), scanner), transform, chunk, {
    done: { parts: 0, lines: 0 },
    nextPart: async () => ({ isCanary: false, maxLines: PART_LINES }),
  });
  let events = 0;
  for await (const { part } of parts) events += part.eventCount;
  return events;
}
