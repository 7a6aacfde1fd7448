import { rmSync } from 'node:fs';
import path from 'node:path';
import { migrate } from '@backfill/core/db/migrate';
import { ROLES } from '@backfill/core/domain/approvals';
import { registerTokens, tokenVariable } from './api-tokens.ts';
import { formatEnvFile, readEnvFile } from './env-file.ts';
import { type ManagedProcess, ProcessStartError, startAll } from './managed-process.ts';
import { isFree } from './ports.ts';
import { REPOSITORY_ROOT } from './repository.ts';
import { type ServerOptions, type Servers, startServers } from './servers.ts';
import { serviceEnv } from './service-env.ts';
import {
  createService,
  instanceUrl,
  instanceVariable,
  SERVICES,
  type ServiceInstance,
  type ServiceName,
} from './services.ts';
import { chooseStateDir, stateDirAt, writePrivateFile } from './state-dir.ts';
import { lockHolder } from './state-lock.ts';

export interface StackOptions {
  /** The state directory; else BACKFILL_STATE_DIR, else `.backfill` in the repository. */
  stateDir?: string | undefined;
  /** The API's port; else the one used last, else any free one. */
  apiPort?: number | undefined;
  /** How many instances of a service; one where nothing is said. */
  instances?: Partial<Record<ServiceName, number>>;
  separateCheckpoint?: ServerOptions['separateCheckpoint'];
  /** Brings up the servers; the embedded ones where nothing is said. */
  startServers?: (options: ServerOptions) => Promise<StackServers>;
  /** For tests: gives up safety against a power cut for speed. */
  fast?: boolean;
  /** Gets lines for a person; silent when absent. */
  report?: (line: string) => void;
  /** The caller's environment; process.env when absent. */
  env?: NodeJS.ProcessEnv;
  /** Gives up a start under way. */
  signal?: AbortSignal;
}

/** What a stack asks of its servers. */
export type StackServers = Pick<Servers, 'dir' | 'secrets' | 'ports' | 'env' | 'stop' | 'kill'>;

/** The embedded stack: three servers and all services. */
export interface Stack {
  /** The content of the env file, by the names of the contract. */
  env: Record<string, string>;
  envFile: string;
  stateDir: string;
  /** Services first, then S3, Redis and PostgreSQL. Safe to call once. */
  stop(): Promise<void>;
  /** Ends everything at once, by force. */
  kill(): void;
}

/**
 * Starts the stack and resolves when every service is ready. Migrates the database, makes the API
 * tokens known, and writes the env file, which disappears at the stop.
 * Throws StateInUseError when another stack has the state directory; a failed start leaves
 * nothing running.
 */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const caller = options.env ?? process.env;
  const report = options.report ?? (() => undefined);
  const stateDir = chooseStateDir(options.stateDir, caller);
  const servers = await (options.startServers ?? startServers)({
    ...{ stateDir, report, env: caller },
    ...{ fast: options.fast ?? false, signal: options.signal, separateCheckpoint: options.separateCheckpoint },
  });
  const services: ManagedProcess[] = [];
  const stop = async () => {
    rmSync(servers.dir.envFile, { force: true });
    await Promise.all(services.map((service) => service.stop()));
    await servers.stop();
  };
  try {
    const databaseUrl = servers.env.DATABASE_URL ?? '';
    await migrate({ connectionString: databaseUrl });
    await registerTokens(databaseUrl, servers.secrets.tokens);
    const instances = await placeInstances(servers, options);
    const env = stackEnv(servers, instances, caller);
    for (const instance of instances) {
      services.push(createService(instance, servers.dir, serviceEnv(caller, env), report));
    }
    await startAll(services, options.signal);
    writePrivateFile(servers.dir.envFile, formatEnvFile(env));
    const kill = () => {
      for (const service of services) service.kill();
      servers.kill();
    };
    return { env, envFile: servers.dir.envFile, stateDir: servers.dir.root, stop, kill };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The environment of the stack that is up on this state directory, or undefined. */
export function runningStackEnv(options: StackOptions = {}): Record<string, string> | undefined {
  const dir = stateDirAt(chooseStateDir(options.stateDir, options.env ?? process.env));
  return lockHolder(dir.lockFile) === undefined ? undefined : readEnvFile(dir.envFile);
}

/** Chooses the ports. Every service has at least one instance. */
async function placeInstances(servers: StackServers, options: StackOptions): Promise<ServiceInstance[]> {
  const { apiPort } = options;
  if (apiPort !== undefined && !(await isFree(apiPort))) {
    throw new ProcessStartError(`Port ${apiPort} of 127.0.0.1 is in use. Choose another --api-port.`);
  }
  const instances: ServiceInstance[] = [];
  for (const service of SERVICES) {
    const count = options.instances?.[service] ?? 1;
    for (let number = 1; number <= count; number += 1) {
      const chosen = service === 'api' ? apiPort : undefined;
      const port = chosen ?? (await servers.ports.take(`${service}-${number}`));
      instances.push({ service, number, port });
    }
  }
  return instances;
}

function stackEnv(
  servers: StackServers,
  instances: readonly ServiceInstance[],
  caller: NodeJS.ProcessEnv,
): Record<string, string> {
  const env: Record<string, string> = {
    ...servers.env,
    BACKFILL_CONFIG_DIR: path.resolve(caller.BACKFILL_CONFIG_DIR || path.join(REPOSITORY_ROOT, 'examples', 'config')),
  };
  for (const instance of instances) {
    env[instanceVariable(instance)] = instanceUrl(instance);
    if (instance.service === 'api') env.BACKFILL_API_URL = instanceUrl(instance);
  }
  for (const role of ROLES) env[tokenVariable(role)] = servers.secrets.tokens[role];
  return env;
}
