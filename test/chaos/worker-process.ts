import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export interface WorkerSpec {
  /** Such as `importer-2`; names its log file. */
  name: string;
  main: string;
  /** Where it serves its health. */
  url: string;
  env: NodeJS.ProcessEnv;
  logFile: string;
}

/** A service that is started again whenever it ends. */
export interface WorkerProcess {
  readonly name: string;
  /** True when it works, or is frozen: when there is nothing to wait for before the next fault. */
  isSettled(): Promise<boolean>;
  kill(): void;
  /** Stops the process in its tracks, and lets it go on after so many ms if it is still there. */
  freeze(forMs: number): void;
  stop(): Promise<void>;
}

const HEALTH_TIMEOUT_MS = 1_000;
/** A process that cannot start, for lack of a server, tries again after this. */
const RETRY_MS = 300;

function spawnWorker(spec: WorkerSpec): ChildProcess {
  const log = openSync(spec.logFile, 'a');
  try {
    return spawn(process.execPath, [spec.main], {
      env: spec.env,
      // With a channel to us, so that it ends when we do.
      stdio: ['ignore', log, log, 'ipc'],
    });
  } finally {
    closeSync(log);
  }
}

/** Starts the service and keeps it alive until the stop. */
export function startWorker(spec: WorkerSpec): WorkerProcess {
  let child: ChildProcess | undefined;
  let stopping = false;
  let frozen = 0;

  async function live(): Promise<void> {
    while (!stopping) {
      child = spawnWorker(spec);
      const signal = await new Promise<NodeJS.Signals | null>((resolve) => {
        child?.once('exit', (_code, by) => resolve(by));
      });
      if (signal === null && !stopping) await sleep(RETRY_MS);
    }
  }
  const living = live();

  return {
    name: spec.name,
    async isSettled() {
      if (frozen > 0) return true;
      try {
        return (await fetch(`${spec.url}/healthz`, { signal: AbortSignal.timeout(HEALTH_TIMEOUT_MS) })).ok;
      } catch (error) {
        if (error instanceof TypeError || (error instanceof Error && error.name === 'TimeoutError')) return false;
        throw error;
      }
    },
    kill() {
      child?.kill('SIGKILL');
    },
    freeze(forMs) {
      const stopped = child;
      stopped?.kill('SIGSTOP');
      frozen += 1;
      setTimeout(() => {
        stopped?.kill('SIGCONT');
        frozen -= 1;
      }, forMs);
    },
    async stop() {
      stopping = true;
      child?.kill('SIGCONT');
      child?.kill('SIGTERM');
      await living;
    },
  };
}
