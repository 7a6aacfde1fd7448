import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';

const MAIN = path.join(import.meta.dirname, '../../services/importer/src/main.ts');

/** An importer as a process of its own, which can be killed. */
export interface ImporterProcess {
  /** Resolves with how the process ended: a signal's name, or its exit code. */
  ended: Promise<string>;
  /** What it has logged so far. */
  log(): string;
  /** SIGTERM; resolves when it is gone. */
  stop(): Promise<void>;
}

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve(signal ?? String(code)));
  });
}

/** @param crashAt see crash-point.ts */
export function startImporterProcess(env: Record<string, string>, crashAt?: string): ImporterProcess {
  const child = spawn(process.execPath, [MAIN], {
    env: {
      PATH: process.env.PATH ?? '',
      ...env,
      LOG_LEVEL: 'info',
      ...(crashAt !== undefined && { BACKFILL_CRASH_AT: crashAt }),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
    });
  }
  const ended = endOf(child);
  return {
    ended,
    log: () => text,
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
