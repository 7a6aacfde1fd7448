// npm run bench: measures, prints tables, and writes them to bench-results.json.
import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import type { BenchTable } from './bench.ts';
import { BENCHES } from './benches.ts';
import { formatTable } from './format-table.ts';
import { readArguments, USAGE, UsageError } from './read-arguments.ts';

const RESULTS_FILE = path.join(import.meta.dirname, '../../bench-results.json');

async function main(): Promise<void> {
  const { names, options } = readArguments(process.argv.slice(2));
  const results: Record<string, BenchTable[]> = {};
  for (const name of names) {
    const tables = await BENCHES[name]?.run({
      ...options,
      say: (line) => process.stderr.write(`[${name}] ${line}\n`),
    });
    results[name] = tables ?? [];
    for (const table of results[name]) process.stdout.write(`\n${formatTable(table)}\n`);
  }
  const machine = { node: process.version, cpus: availableParallelism() };
  await writeFile(RESULTS_FILE, `${JSON.stringify({ ...machine, results }, null, 2)}\n`);
  process.stdout.write(`\nNode ${machine.node}, ${machine.cpus} CPUs; also in ${path.basename(RESULTS_FILE)}\n`);
}

try {
  await main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n${USAGE}`);
  process.exitCode = 2;
}
