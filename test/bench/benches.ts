import type { Bench } from './bench.ts';
import { candidatesBench } from './candidates/candidates-bench.ts';
import { importBench } from './import/import-bench.ts';
import { memoryBench } from './memory/memory-bench.ts';
import { transformBench } from './transform/transform-bench.ts';

/** Every benchmark by its name on the command line, in the order they run. */
export const BENCHES: Readonly<Record<string, Bench>> = {
  transform: transformBench,
  memory: memoryBench,
  import: importBench,
  candidates: candidatesBench,
};
