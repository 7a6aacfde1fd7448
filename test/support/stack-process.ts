import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from './wait-for.ts';

/** A whole stack: embedded, or on servers in containers. The one switch is test/containers/vitest.config.ts. */
const START = path.resolve(
  import.meta.dirname,
  process.env.TEST_SERVERS === 'containers' ? '../containers/start.ts' : '../../infra/src/start.ts',
);
const START_TIMEOUT_MS = 50_000;

/** `npm start` as a process of its own, seen from outside: by its env file and its process ids. */
export interface StackProcess {
  stateDir: string;
  /** What stands in the env file. */
  env: Record<string, string>;
  /** The process id of a service or server, such as `importer-1` or `redis`; undefined while it is down. */
  pidOf(name: string): Promise<number | undefined>;
  /** Kills a service without a warning, and waits until the supervisor has replaced it. */
  killService(name: string): Promise<void>;
  /** Ctrl-C. Resolves with the exit code. */
  stop(): Promise<number | null>;
}

function parseEnv(text: string): Record<string, string> {
  const lines = text.split('\n').filter((line) => line.includes('='));
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.indexOf('=');
      return [line.slice(0, at), line.slice(at + 1).replace(/^'(.*)'$/, '$1')];
    }),
  );
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

async function readEnvFile(child: ChildProcess, stateDir: string): Promise<Record<string, string>> {
  try {
    return await waitFor(
      'the stack to write its env file',
      async () => {
        if (child.exitCode !== null) throw new Error(`the stack ended with ${child.exitCode}`);
        const text = await readIfThere(path.join(stateDir, 'env'));
        return text === undefined ? undefined : parseEnv(text);
      },
      START_TIMEOUT_MS,
    );
  } catch (error) {
    // Nobody else knows of it.
    child.kill('SIGINT');
    throw error;
  }
}

async function exitOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    await new Promise((resolve) => child.once('exit', resolve));
  }
  return child.exitCode;
}

/** Starts the stack on a state directory (a temporary one, removed at the stop, unless one is given). */
export async function startStackProcess(options: {
  stateDir?: string;
  args?: string[];
  env?: Record<string, string>;
}): Promise<StackProcess> {
  const stateDir = options.stateDir ?? (await mkdtemp(path.join(tmpdir(), 'backfill-stack-')));
  const child = spawn(process.execPath, [START, '--state-dir', stateDir, ...(options.args ?? [])], {
    env: { ...process.env, ...options.env },
    stdio: 'ignore',
  });
  const pidOf = async (name: string) => {
    const record = await readIfThere(path.join(stateDir, 'run', `${name}.json`));
    return record === undefined || record === '' ? undefined : (JSON.parse(record) as { pid: number }).pid;
  };
  return {
    stateDir,
    env: await readEnvFile(child, stateDir),
    pidOf,
    async killService(name) {
      const before = await pidOf(name);
      if (before === undefined) throw new Error(`${name} is not running`);
      process.kill(before, 'SIGKILL');
      await waitFor(`${name} to be replaced`, async () => {
        const now = await pidOf(name);
        return now !== undefined && now !== before ? now : undefined;
      });
    },
    async stop() {
      child.kill('SIGINT');
      const code = await exitOf(child);
      if (options.stateDir === undefined) {
        await sleep(0);
        await rm(stateDir, { recursive: true, force: true, maxRetries: 5 });
      }
      return code;
    },
  };
}
