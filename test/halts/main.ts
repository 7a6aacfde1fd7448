// npm run test:halt: one batch over a big object, halted in the middle of every stage by the API and in psql.
// Exit 0 when nothing happened after the halts and every row is as if there had been none, 2 for wrong usage.
import { parseArgs } from 'node:util';
import { runHalts } from './run-halts.ts';

const USAGE = 'usage: npm run test:halt -- [--size 5GB]\n';
const UNITS: Readonly<Record<string, number>> = { MB: 1e6, GB: 1e9 };
/** Lines of about 1,500 characters: the object is what is to be large, and three million events are enough. */
const TRACE_CHARACTERS = 1_200;
const WATCH_MS = 5_000;
const TIMEOUT_MS = 2 * 3_600_000;

/** @throws {TypeError} for a command line that it does not understand. */
function readSize(): number {
  const { values } = parseArgs({ options: { size: { type: 'string', default: '5GB' } } });
  const [, number, unit] = /^(\d+(?:\.\d+)?)(MB|GB)$/.exec(values.size) ?? [];
  if (number === undefined || unit === undefined) throw new TypeError(`--size wants 250MB or 5GB, not ${values.size}`);
  return Number(number) * (UNITS[unit] ?? 1);
}

function report(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** True when nothing went wrong. */
async function halt(bytes: number): Promise<boolean> {
  const { problems, refusals } = await runHalts({
    ...{ bytes, traceCharacters: TRACE_CHARACTERS, holds: false, env: {}, watchMs: WATCH_MS, timeoutMs: TIMEOUT_MS },
    report,
  });
  for (const [way, refusal] of Object.entries(refusals)) report(`when published, ${way} says: ${refusal}`);
  for (const problem of problems) report(`PROBLEM ${problem}`);
  if (problems.length === 0) report('nothing happened after the halts, and every row is as if there had been none');
  return problems.length === 0;
}

let bytes: number | undefined;
try {
  bytes = readSize();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n${USAGE}`);
  process.exitCode = 2;
}
if (bytes !== undefined) process.exitCode = (await halt(bytes)) ? 0 : 1;
