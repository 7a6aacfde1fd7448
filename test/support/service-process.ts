import { spawn } from 'node:child_process';
import path from 'node:path';
import type { ServiceName } from '@backfill/core/config/environment';

const SERVICES = path.join(import.meta.dirname, '../../services');

/** One service as a process of its own, which can be killed. */
export interface ServiceProcess {
  /** Resolves when the process is gone. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

/** @param env the service's whole environment */
export function startServiceProcess(service: ServiceName, env: Record<string, string>): ServiceProcess {
  const child = spawn(process.execPath, [path.join(SERVICES, service, 'src/main.ts')], {
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: 'ignore',
  });
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
  });
  return {
    async end(signal) {
      child.kill(signal);
      await ended;
    },
  };
}
