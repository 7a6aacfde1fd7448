// npm run test:chaos: the pipeline under faults. Exit 0 when every row is as if nothing had happened, 2 for wrong usage.
import { parseArgs } from 'node:util';
import type { KeyLayout } from '../support/environment.ts';
import { prepareChaos } from './run-chaos.ts';
import { describeFault } from './schedule.ts';

const USAGE = `usage: npm run test:chaos -- [--seed TEXT] [--faults N] [--events N] [--batches N]
                             [--separate-checkpoint] [--keep-logs DIR]
`;
const HOUR_MS = 3_600_000;

interface Arguments {
  seed: string;
  faults: number;
  events: number;
  batches: number;
  layout: KeyLayout;
  logsDir: string | undefined;
}

/** @throws {TypeError} for a command line that it does not understand. */
function readArguments(): Arguments {
  const option = (value: string) => ({ type: 'string', default: value }) as const;
  const { values } = parseArgs({
    options: {
      seed: option(String(Date.now())),
      faults: option('220'),
      events: option('1000000'),
      batches: option('10'),
      'keep-logs': { type: 'string' },
      'separate-checkpoint': { type: 'boolean', default: false },
    },
  });
  const count = (name: 'faults' | 'events' | 'batches') => {
    const number = Number(values[name]);
    if (!Number.isSafeInteger(number) || number < 1) throw new TypeError(`--${name} wants a whole number`);
    return number;
  };
  return {
    seed: values.seed,
    ...{ faults: count('faults'), events: count('events'), batches: count('batches') },
    layout: values['separate-checkpoint'] ? 'in a database of its own' : 'with the events',
    logsDir: values['keep-logs'],
  };
}

function report(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** True when nothing went wrong. */
async function disturb(given: Arguments): Promise<boolean> {
  report(`seed ${given.seed}, ${given.faults} faults, ${given.events} lines in ${given.batches} batches`);
  const sizes = { chunkBytes: 4 * 1024 * 1024, partLines: 5_000, lockMs: 5_000, timeoutMs: HOUR_MS };
  const suite = await prepareChaos({ ...given, ...sizes, report });
  try {
    report('the schedule of this seed:');
    for (const point of suite.schedule.crashes) report(`  crash at ${point}`);
    for (const fault of suite.schedule.faults) report(`  ${describeFault(fault)}`);
    const result = await suite.disturb({ name: 'disturbed', schedule: suite.schedule, layout: given.layout });
    report(`${result.given} faults given`);
    const problems = [
      ...result.problems,
      ...result.crashesLeft.map((point) => `no process has come to ${point}`),
      ...(result.given < given.faults ? [`the work was over after ${result.given} of ${given.faults} faults`] : []),
    ];
    for (const problem of problems) report(`PROBLEM ${problem}`);
    report(problems.length === 0 ? 'every row is as if nothing had happened' : `repeat it with --seed ${given.seed}`);
    return problems.length === 0;
  } finally {
    await suite.stop();
  }
}

let given: Arguments | undefined;
try {
  given = readArguments();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n${USAGE}`);
  process.exitCode = 2;
}
if (given !== undefined) process.exitCode = (await disturb(given)) ? 0 : 1;
