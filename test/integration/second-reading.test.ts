import { createRecordScanner } from '@backfill/core/formats/formats';
import { readRecords } from '@backfill/core/formats/read-records';
import type { LineOutcome } from '@backfill/core/recipe/line-outcome';
import { TEST_KEYS, testRecipe } from '@backfill/core/recipe/recipe-fixture';
import { compileSecondReading, type SecondOutcome } from '@backfill/verifier/recount/second-reading';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { damage } from '../support/bad-input/damage.ts';
import { MAX_LINE_BYTES } from '../support/bad-input/hostile-values.ts';
import { BAD_INPUT_SOURCES } from '../support/bad-input/sources.ts';
import { type Cut, createFileTransform } from '../support/bad-input/transform-file.ts';

const RUNS = { seed: Number(process.env.FUZZ_SEED ?? 42), numRuns: Number(process.env.FUZZ_RUNS ?? 60) };
const WHOLE: Cut = { blockBytes: 1 << 20, chunkBytes: 1 << 30, partLines: 1_000 };
const foreign = fc.oneof(...Object.values(BAD_INPUT_SOURCES).map(({ file }) => file));

const told = (outcome: LineOutcome | SecondOutcome) => {
  if (outcome.outcome !== 'accepted') return outcome.outcome;
  return 'event' in outcome ? outcome.event.eventId : outcome.eventId;
};

// The verifier recounts every line with code of its own: it must agree with the transformer on all there is.
describe.each(Object.entries(BAD_INPUT_SOURCES))('the second reading of %s', (_, { source, file }) => {
  const recipe = testRecipe({ limits: { maxLineBytes: MAX_LINE_BYTES } }, source);
  const transform = createFileTransform(recipe);
  const anyFile = fc.oneof(
    file,
    fc.tuple(file, damage(foreign)).map(([bytes, change]) => change(bytes)),
  );

  it('agrees with the transformer on each line', async () => {
    await fc.assert(
      fc.asyncProperty(anyFile, async (bytes) => {
        const { scanned, lines } = await transform(bytes, WHOLE);
        if (scanned === undefined) return;
        const read = compileSecondReading(recipe, TEST_KEYS, scanned);
        const scanner = createRecordScanner(scanned, { firstLine: 1, maxLineBytes: MAX_LINE_BYTES });
        const second: string[] = [];
        for await (const batch of readRecords([bytes] as never, scanner)) {
          second.push(...batch.map((line) => told(read(line))));
        }
        expect(second).toEqual(lines.map(({ outcome }) => told(outcome)));
      }),
      RUNS,
    );
  });
});
