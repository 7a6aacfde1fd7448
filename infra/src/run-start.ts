import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { ProcessStartError } from './managed-process.ts';
import { onSignal } from './on-signal.ts';
import { type Stack, type StackOptions, startStack } from './stack.ts';
import { StateInUseError } from './state-lock.ts';

const USAGE = `usage: npm start -- [--state-dir DIR] [--api-port PORT]
                    [--transformers N] [--importers N] [--verifiers N] [--rollbacks N]
                    [--separate-checkpoint]

--separate-checkpoint gives the dedup store a database of its own, from the first start on.
`;
const MOST_INSTANCES = 32;

class UsageError extends Error {}

/** The options of a command line; undefined when it asks for help. Throws UsageError. */
function readArguments(args: string[]): StackOptions | undefined {
  const option = { type: 'string' } as const;
  const options = {
    'state-dir': option,
    'api-port': option,
    transformers: option,
    importers: option,
    verifiers: option,
    rollbacks: option,
    'separate-checkpoint': { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  } as const;
  let values: ReturnType<typeof parseArgs<{ options: typeof options; args: string[] }>>['values'];
  try {
    ({ values } = parseArgs({ args, options }));
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
  if (values.help) return undefined;
  const count = (name: 'transformers' | 'importers' | 'verifiers' | 'rollbacks') =>
    wholeNumber(`--${name}`, values[name] ?? '1', 1, MOST_INSTANCES);
  const port = values['api-port'];
  return {
    stateDir: values['state-dir'],
    separateCheckpoint: values['separate-checkpoint'],
    apiPort: port === undefined ? undefined : wholeNumber('--api-port', port, 1, 65_535),
    instances: {
      transformer: count('transformers'),
      importer: count('importers'),
      verifier: count('verifiers'),
      rollback: count('rollbacks'),
    },
  };
}

function wholeNumber(name: string, text: string, least: number, most: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new UsageError(`${name} wants a whole number from ${least} to ${most}, not ${text}`);
}

function announce({ env, envFile, stateDir }: Stack): void {
  const host = (address: string | undefined) => new URL(address ?? '').host;
  say(`
  API         ${env.BACKFILL_API_URL}  (try it at /docs)
  PostgreSQL  ${host(env.DATABASE_URL)}   Redis  ${host(env.REDIS_URL)}   S3  ${host(env.S3_ENDPOINT)}
  State       ${stateDir}  (logs in logs/)
  Addresses, secrets and tokens for a shell:  set -a; . ${envFile}; set +a

Ctrl-C stops everything; the state stays for the next start.
`);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function run(startServers: StackOptions['startServers']): Promise<void> {
  const options = readArguments(process.argv.slice(2));
  if (options === undefined) return say(USAGE);
  const asked = new AbortController();
  let stack: Stack | undefined;
  onSignal(
    () => asked.abort(),
    () => {
      say('Forced.');
      // What still runs after this is the watchdog's.
      stack?.kill();
      process.exit(130);
    },
  );
  say('Starting PostgreSQL, Redis, S3 and the services …');
  try {
    stack = await startStack({ ...options, ...(startServers && { startServers }), report: say, signal: asked.signal });
    announce(stack);
    if (!asked.signal.aborted) await once(asked.signal, 'abort');
    say('Stopping …');
    await stack.stop();
  } catch (error) {
    // A start that was given up fails in whatever step it was.
    if (!asked.signal.aborted) throw error;
  }
  say('Stopped.');
}

/**
 * `npm start`: a stack in the foreground until Ctrl-C, as the command line asks. Ends the process.
 *
 * @param startServers in place of the embedded ones
 */
export async function runStart(startServers?: StackOptions['startServers']): Promise<never> {
  try {
    await run(startServers);
    process.exit(0);
  } catch (error) {
    if (error instanceof UsageError) {
      process.stderr.write(`${error.message}\n${USAGE}`);
      process.exit(2);
    }
    const expected = error instanceof StateInUseError || error instanceof ProcessStartError;
    const text = error instanceof Error ? (expected ? error.message : error.stack) : String(error);
    process.stderr.write(`${text}\n`);
    process.exit(1);
  }
}
