import type { Bench, BenchOptions, BenchTable } from '../bench.ts';
import { benchBlocks } from '../events/bench-events.ts';
import { median } from '../median.ts';
import { loadBenchRecipe } from './bench-recipe.ts';
import { parseLines } from './parse-lines.ts';
import { createStages } from './stages.ts';
import { transformBlocks } from './transform-blocks.ts';

/** Text per round. */
const BYTES = 32e6;

async function secondsOf(work: () => unknown): Promise<number> {
  const startedMs = performance.now();
  await work();
  return (performance.now() - startedMs) / 1_000;
}

/** The yardstick and the transform take turns on the same bytes, so that a busy machine slows both. */
async function compare({ rounds, say }: BenchOptions, blocks: readonly Buffer[]): Promise<BenchTable> {
  const recipe = await loadBenchRecipe();
  const bytes = Buffer.concat(blocks);
  const lines = parseLines(bytes);
  const all: { parse: number; transform: number }[] = [];
  // The first round is for the compiler.
  for (let round = 0; round <= rounds; round += 1) {
    const parse = await secondsOf(() => parseLines(bytes));
    const transform = await secondsOf(() => transformBlocks(recipe, blocks, lines));
    if (round > 0) all.push({ parse, transform });
    say(`round ${round} of ${rounds}: ${(parse / transform).toFixed(3)}`);
  }
  const transform = median(all.map((round) => round.transform));
  return {
    title: 'Transform against a loop that only splits lines and calls JSON.parse on the same bytes',
    rows: [
      {
        'ratio of rates': median(all.map((round) => round.parse / round.transform)),
        'events/s': Math.round(lines / transform),
        'MB/s': bytes.length / transform / 1e6,
        'µs per event': (transform * 1e6) / lines,
        'µs of the loop': (median(all.map((round) => round.parse)) * 1e6) / lines,
        'bytes per event': bytes.length / lines,
      },
    ],
  };
}

/** Each stage alone, over events made before: the sum is not the whole, which has other caches and garbage. */
async function measureStages({ rounds }: BenchOptions, blocks: readonly Buffer[]): Promise<BenchTable> {
  const recipe = await loadBenchRecipe();
  const lines = parseLines(Buffer.concat(blocks));
  const stages = Object.entries(createStages(recipe, blocks));
  const seconds = stages.map((): number[] => []);
  for (let round = 0; round <= rounds; round += 1) {
    for (const [index, [, stage]] of stages.entries()) {
      const taken = await secondsOf(stage);
      if (round > 0) seconds[index]?.push(taken);
    }
  }
  return {
    title: 'Stages of the transform, each alone',
    rows: stages.map(([stage], index) => ({ stage, 'µs per event': (median(seconds[index] ?? []) * 1e6) / lines })),
  };
}

/** How fast lines become parts, in one process. */
export const transformBench: Bench = {
  summary: 'lines to import parts, against JSON.parse alone',
  async run(options) {
    const blocks = [...benchBlocks(BYTES)];
    return [await compare(options, blocks), await measureStages(options, blocks)];
  },
};
