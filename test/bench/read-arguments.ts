import { parseArgs } from 'node:util';
import type { BenchOptions } from './bench.ts';
import { BENCHES } from './benches.ts';
import { IMPORT_RUNS } from './import/import-bench.ts';

/** The command line makes no sense. */
export class UsageError extends Error {}

export const USAGE = `usage: npm run bench -- [NAME…] [options]

${Object.entries(BENCHES)
  .map(([name, { summary }]) => `  ${name.padEnd(12)} ${summary}`)
  .join('\n')}

  --rounds N            how often what is compared takes turns; the median counts (5)
  --size SIZE,…         text in each big object, such as 250MB or 5GB (250MB)
  --compression NAME,…  of the big objects: none, gzip, zstd (all three)
  --only NAME,…         of the import: ${IMPORT_RUNS.join(', ')} (all of them)
`;

const UNITS: Readonly<Record<string, number>> = { MB: 1e6, GB: 1e9 };
const COMPRESSIONS = ['none', 'gzip', 'zstd'];

function parseSize(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(MB|GB)$/.exec(text) ?? [];
  if (number === undefined || unit === undefined) throw new UsageError(`--size wants 250MB or 5GB, not ${text}`);
  return Number(number) * (UNITS[unit] ?? 1);
}

function parseRounds(text: string): number {
  if (/^[1-9]\d{0,2}$/.test(text)) return Number(text);
  throw new UsageError(`--rounds wants a whole number from 1 to 999, not ${text}`);
}

function known(name: string, names: readonly string[]): string {
  if (names.includes(name)) return name;
  throw new UsageError(`there is no ${name}; there are: ${names.join(', ')}`);
}

const OPTIONS = {
  rounds: { type: 'string', default: '5' },
  size: { type: 'string', default: '250MB' },
  compression: { type: 'string', default: COMPRESSIONS.join(',') },
  only: { type: 'string' },
} as const;

function parse(args: string[]) {
  try {
    return parseArgs({ args, options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/**
 * Reads the command line: which benches to run (all when none is named) and how.
 *
 * @throws {UsageError}
 */
export function readArguments(args: string[]): { names: string[]; options: Omit<BenchOptions, 'say'> } {
  const { positionals, values } = parse(args);
  const all = Object.keys(BENCHES);
  return {
    names: positionals.length === 0 ? all : positionals.map((name) => known(name, all)),
    options: {
      rounds: parseRounds(values.rounds),
      sizes: values.size.split(',').map(parseSize),
      compressions: values.compression.split(',').map((name) => known(name, COMPRESSIONS)),
      only: values.only?.split(',').map((name) => known(name, IMPORT_RUNS)),
    },
  };
}
