import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { forgetPid, recordPid } from './pid-record.ts';
import type { StopStep } from './processes.ts';

/** How one child process is started, recognised as ready, and stopped. */
export interface ProcessSpec {
  /** Unique in the stack, such as `importer-2`; also names its log file. */
  name: string;
  command: string;
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  /** Another account to run under, when we are root. */
  account?: { uid: number; gid: number };
  /** Working directory; the supervisor's own when absent. */
  cwd?: string;
  /** Opens an IPC channel: the child sees it close when the supervisor dies. */
  ipc: boolean;
  logFile: string;
  /** Where the process is on record while it runs. */
  runDir: string;
  /** Clears what an earlier crash left in the way. Called before every start. */
  beforeStart?(): Promise<void>;
  /** Undefined when the process answers, else why not yet. An error thrown ends the start. */
  notReady(): Promise<string | undefined>;
  readyTimeoutMs: number;
  stop: StopStep[];
}

/** A child process that is started again when it ends without being asked to. */
export interface ManagedProcess {
  readonly name: string;
  readonly logFile: string;
  /** The process id while it runs. */
  pid(): number | undefined;
  /** Resolves when the process answers. Throws with the end of its log when it does not get there. */
  start(): Promise<void>;
  /** Stops it for good, by force if need be. Safe to call more than once and before a start. */
  stop(): Promise<void>;
  /** Kills without mercy, in a stop too. */
  kill(): void;
}

/** A process did not get to the point where it answers; the message has the end of its log. */
export class ProcessStartError extends Error {
  override readonly name = 'ProcessStartError';
}

const POLL_MS = 50;
const FIRST_RESTART_MS = 1_000;
const LONGEST_RESTART_MS = 10_000;
/** A process that lived this long is not in a crash loop. */
const SETTLED_MS = 30_000;
const LOG_LINES = 20;

/**
 * Prepares a process; nothing runs until start(). `report` gets one line per event worth telling
 * a person: an unexpected end, a restart.
 */
export function manageProcess(spec: ProcessSpec, report: (line: string) => void): ManagedProcess {
  let child: ChildProcess | undefined;
  let ended: Promise<string> = Promise.resolve('never started');
  /** Where in the log the current child's lines begin. */
  let logStart = 0;
  let restarts: Promise<void> = Promise.resolve();
  const stopping = new AbortController();

  const launch = async () => {
    await spec.beforeStart?.();
    if (stopping.signal.aborted) throw new Error(`${spec.name} was stopped while it started`);
    logStart = statSync(spec.logFile, { throwIfNoEntry: false })?.size ?? 0;
    child = spawnChild(spec);
    ended = exitOf(child);
    if (child.pid !== undefined) recordPid(spec.runDir, spec.name, child.pid, spec.stop);
  };

  const relaunch = async () => {
    try {
      await launch();
      await untilReady(spec, ended, logStart, stopping.signal);
      report(`${spec.name} is up again`);
    } catch (error) {
      if (!stopping.signal.aborted) report(error instanceof Error ? error.message : String(error));
    }
  };

  /** Starts the process again whenever it ends, ever more slowly while it ends at once. */
  const keepAlive = async () => {
    let delay = FIRST_RESTART_MS;
    while (true) {
      const startedAt = Date.now();
      const how = await ended;
      if (stopping.signal.aborted) return;
      if (Date.now() - startedAt > SETTLED_MS) delay = FIRST_RESTART_MS;
      report(`${spec.name} ended (${how}), starting it again in ${delay / 1000} s; log: ${spec.logFile}`);
      if (!(await pause(delay, stopping.signal))) return;
      delay = Math.min(delay * 2, LONGEST_RESTART_MS);
      await relaunch();
    }
  };

  return {
    name: spec.name,
    logFile: spec.logFile,
    pid: () => (child !== undefined && isRunning(child) ? child.pid : undefined),
    async start() {
      await launch();
      await untilReady(spec, ended, logStart, stopping.signal);
      restarts = keepAlive();
    },
    async stop() {
      // No new child is spawned from here on: launch() looks at the signal just before it does.
      stopping.abort();
      if (child !== undefined) await stopChild(child, ended, spec.stop);
      await restarts;
      forgetPid(spec.runDir, spec.name);
    },
    kill() {
      stopping.abort();
      child?.kill('SIGKILL');
    },
  };
}

/**
 * Starts all and waits for all, so that a failure leaves no start in the background. An abort
 * stops them, and then every start that was under way fails.
 */
export async function startAll(processes: readonly ManagedProcess[], signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  const abort = () => {
    for (const one of processes) void one.stop();
  };
  signal?.addEventListener('abort', abort, { once: true });
  try {
    const outcomes = await Promise.allSettled(processes.map((one) => one.start()));
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

function spawnChild(spec: ProcessSpec): ChildProcess {
  const log = openSync(spec.logFile, 'a', 0o600);
  try {
    return spawn(spec.command, spec.args, {
      env: spec.env,
      cwd: spec.cwd,
      stdio: spec.ipc ? ['ignore', log, log, 'ipc'] : ['ignore', log, log],
      // A group of its own: Ctrl-C in the terminal reaches the supervisor only, which stops its
      // children in order.
      detached: true,
      ...spec.account,
    });
  } finally {
    closeSync(log);
  }
}

/** Resolves with how the process ended; never rejects. */
async function exitOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
}

function isRunning(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}

/** Throws ProcessStartError with what the process has logged when it ends or does not answer in time. */
async function untilReady(
  spec: ProcessSpec,
  ended: Promise<string>,
  logStart: number,
  stopped: AbortSignal,
): Promise<void> {
  let end: string | undefined;
  void ended.then((how) => {
    end = how;
  });
  const deadline = Date.now() + spec.readyTimeoutMs;
  let reason: string | undefined = 'it was never asked';
  while (Date.now() < deadline) {
    if (stopped.aborted) throw new Error(`${spec.name} was stopped while it started`);
    reason = end === undefined ? await spec.notReady() : `it ended (${end})`;
    if (end !== undefined || reason === undefined) break;
    await pause(POLL_MS, stopped);
  }
  if (reason === undefined && end === undefined) return;
  const why = reason ?? `it ended (${end})`;
  const log = logTail(spec.logFile, logStart);
  throw new ProcessStartError(`${spec.name} did not start: ${why}. The end of ${spec.logFile}:\n${log}`);
}

async function stopChild(child: ChildProcess, ended: Promise<string>, steps: readonly StopStep[]): Promise<void> {
  for (const { signal, graceMs } of steps) {
    if (!isRunning(child)) return;
    child.kill(signal);
    const timer = new AbortController();
    await Promise.race([ended, pause(graceMs, timer.signal)]);
    timer.abort();
  }
  if (isRunning(child)) child.kill('SIGKILL');
  await ended;
}

/** Waits; false when the signal cut it short. */
async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await sleep(ms, undefined, { signal });
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  }
}

/** The last lines that were logged after this many bytes. */
function logTail(file: string, from: number): string {
  const text = readFileSync(file).subarray(from).toString('utf8');
  return text.trimEnd().split('\n').slice(-LOG_LINES).join('\n');
}
