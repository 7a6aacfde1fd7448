import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import type { StateDir } from './state-dir.ts';

/** What the watchdog process is told. */
export interface WatchdogSettings {
  runDir: string;
  envFile: string;
  /** A temporary state directory, deleted after everything has stopped. */
  remove: string | undefined;
}

/**
 * Starts a small process that outlives us: when we die without stopping our children (kill -9, a
 * crash), it stops them. Returns the function that ends it without that.
 */
export function startWatchdog(dir: StateDir, temporary: boolean): () => Promise<void> {
  const settings: WatchdogSettings = {
    runDir: dir.run,
    envFile: dir.envFile,
    remove: temporary ? dir.root : undefined,
  };
  const program = path.join(import.meta.dirname, 'watchdog-main.ts');
  const child = spawn(process.execPath, [program, `--state-dir=${dir.root}`], {
    env: { BACKFILL_WATCHDOG: JSON.stringify(settings) },
    cwd: '/',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    detached: true,
  });
  // It is a safety net: neither its start nor its failure may hold us up.
  const ended = endOf(child);
  child.unref();
  child.channel?.unref();
  return async () => {
    child.ref();
    child.kill('SIGTERM');
    await ended;
  };
}

async function endOf(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('error', () => resolve());
    child.once('exit', () => resolve());
  });
}
