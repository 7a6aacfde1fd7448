// npm run demo: the main job end to end, on the stack that runs here or on one of its own.
import path from 'node:path';
import { parseArgs } from 'node:util';
import { ApiProblem } from '@backfill/core/client/api-problem';
import { BackfillError } from '@backfill/core/errors';
import { formatProblem } from '@backfill/core/text/format-problem';
import { createDemoContext } from './demo/demo-context.ts';
import { DemoError } from './demo/demo-error.ts';
import type { DemoRun } from './demo/demo-run.ts';
import { runDemo } from './demo/run-demo.ts';
import { ProcessStartError } from './managed-process.ts';
import { onSignal } from './on-signal.ts';
import { runningStackEnv, type Stack, startStack } from './stack.ts';
import { StateInUseError } from './state-lock.ts';

const USAGE = 'usage: npm run demo -- [--state-dir DIR]\n';
const INTERRUPTED = 130;

/** The options of the command line; undefined when they make no sense. */
function readArguments(args: string[]): { 'state-dir'?: string; help?: boolean } | undefined {
  const options = { 'state-dir': { type: 'string' }, help: { type: 'boolean', short: 'h' } } as const;
  try {
    return parseArgs({ args, options }).values;
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function tellNext(run: DemoRun, stateDir: string | undefined, isOwnStack: boolean): void {
  const where = stateDir === undefined ? '' : ` --state-dir ${path.resolve(stateDir)}`;
  const start = where === '' ? 'npm start' : `npm start --${where}`;
  const first = isOwnStack
    ? `${start}    (keeps the stack up; the others from a second terminal)`
    : `./backfill${where} status ${run.appBatch} --files`;
  say(`
Try next:
  ${first}
  ./backfill${where} report ${run.webBatch}
  ./backfill${where} rollback ${run.appBatch} --watch
`);
}

async function main(stateDir: string | undefined, asked: AbortController): Promise<void> {
  const startedMs = Date.now();
  let own: Stack | undefined;
  onSignal(
    () => asked.abort(),
    () => {
      own?.kill();
      process.exit(INTERRUPTED);
    },
  );
  const { signal } = asked;
  let env = runningStackEnv({ stateDir });
  if (env === undefined) {
    say('Starting PostgreSQL, Redis, S3 and the services …');
    // The demo's logs are those of the example sources, whatever the caller works with.
    const { BACKFILL_CONFIG_DIR: _, ...caller } = process.env;
    own = await startStack({ stateDir, report: say, signal, env: caller });
    env = own.env;
  } else {
    say(`Using the stack that runs here, API ${env['BACKFILL_API_URL']}`);
  }
  const context = createDemoContext(env, process.stdout, signal);
  try {
    const run = await runDemo(context);
    say(`\nDone in ${Math.round((Date.now() - startedMs) / 1_000)} seconds.`);
    tellNext(run, stateDir, own !== undefined);
  } finally {
    await context.close();
    if (own !== undefined) {
      say('Stopping the stack; its state stays …');
      await own.stop();
    }
  }
}

/** What went wrong, for a person; bugs keep their stack. */
function describe(error: unknown): string {
  if (error instanceof ApiProblem) return formatProblem(error).join('\n');
  const isExpected = [DemoError, BackfillError, StateInUseError, ProcessStartError].some(
    (kind) => error instanceof kind,
  );
  if (error instanceof Error) return isExpected ? error.message : (error.stack ?? error.message);
  return String(error);
}

const given = readArguments(process.argv.slice(2));
if (given === undefined || given.help) {
  (given === undefined ? process.stderr : process.stdout).write(USAGE);
  process.exit(given === undefined ? 2 : 0);
}
const asked = new AbortController();
try {
  await main(given['state-dir'], asked);
  process.exit(0);
} catch (error) {
  // What was interrupted fails in whatever step it was.
  process.stderr.write(asked.signal.aborted ? 'Interrupted.\n' : `\n${describe(error)}\n`);
  process.exit(asked.signal.aborted ? INTERRUPTED : 1);
}
