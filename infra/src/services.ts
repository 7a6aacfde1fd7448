import path from 'node:path';
import { type ManagedProcess, manageProcess } from './managed-process.ts';
import { nodeEnv } from './node-env.ts';
import { REPOSITORY_ROOT } from './repository.ts';
import type { StateDir } from './state-dir.ts';

/** The services of the stack, in the order they are started and stopped. */
export const SERVICES = ['api', 'transformer', 'importer', 'verifier', 'rollback'] as const;
export type ServiceName = (typeof SERVICES)[number];

/** One running copy of a service; instances of a service count from 1. */
export interface ServiceInstance {
  service: ServiceName;
  number: number;
  port: number;
}

const READY_TIMEOUT_MS = 60_000;
const STOP_GRACE_MS = 20_000;

/** The address of an instance's HTTP port. */
export function instanceUrl(instance: ServiceInstance): string {
  return `http://127.0.0.1:${instance.port}`;
}

/** The variable of the env file that names it: `BACKFILL_IMPORTER_2_URL`. */
export function instanceVariable(instance: ServiceInstance): string {
  return `BACKFILL_${instance.service.toUpperCase()}_${instance.number}_URL`;
}

/**
 * Prepares one instance: the service's main file under the pinned Node, with an IPC channel so
 * that it ends when we die. Ready when /readyz says so.
 */
export function createService(
  instance: ServiceInstance,
  dir: StateDir,
  env: NodeJS.ProcessEnv,
  report: (line: string) => void,
): ManagedProcess {
  const { service, number, port } = instance;
  const name = `${service}-${number}`;
  return manageProcess(
    {
      name,
      command: process.execPath,
      // The services ignore arguments; these are for the eyes of whoever looks at `ps`.
      args: [
        path.join(REPOSITORY_ROOT, 'services', service, 'src', 'main.ts'),
        ...[`--instance=${name}`, `--state-dir=${dir.root}`],
      ],
      env: { ...nodeEnv(env), [`${service.toUpperCase()}_PORT`]: String(port) },
      cwd: REPOSITORY_ROOT,
      ipc: true,
      logFile: path.join(dir.logs, `${name}.log`),
      runDir: dir.run,
      notReady: () => notReady(`${instanceUrl(instance)}/readyz`),
      readyTimeoutMs: READY_TIMEOUT_MS,
      stop: [{ signal: 'SIGTERM', graceMs: STOP_GRACE_MS }],
    },
    report,
  );
}

async function notReady(url: string): Promise<string | undefined> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(5_000) });
    const body = await answer.text();
    return answer.ok ? undefined : `${url} answers ${answer.status} ${body.slice(0, 500)}`;
  } catch (error) {
    return error instanceof Error ? String(error.cause ?? error) : String(error);
  }
}
