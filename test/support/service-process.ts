import { spawn } from 'node:child_process';
import path from 'node:path';
import type { ServiceName } from '@backfill/core/config/environment';

const SERVICES = path.join(import.meta.dirname, '../../services');

/** One service as a process of its own, which can be killed. */
export interface ServiceProcess {
  /** Resolves with how the process ended: a signal's name, or its exit code. */
  ended: Promise<string>;
  /** What it has logged so far. */
  log(): string;
  /** Resolves when the process is gone. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

/**
 * @param env the service's whole environment
 * @param crashAt see crash-point.ts
 */
export function startServiceProcess(
  service: ServiceName,
  env: Record<string, string>,
  crashAt?: string,
): ServiceProcess {
  const child = spawn(process.execPath, [path.join(SERVICES, service, 'src/main.ts')], {
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
  const ended = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => resolve(signal ?? String(code)));
  });
  return {
    ended,
    log: () => text,
    async end(signal) {
      child.kill(signal);
      await ended;
    },
  };
}
