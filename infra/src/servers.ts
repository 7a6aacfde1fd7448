import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type ManagedProcess, startAll } from './managed-process.ts';
import { stopLeftovers } from './pid-record.ts';
import { PortBook } from './ports.ts';
import { createPostgres, ensureDatabases } from './postgres.ts';
import { findPostgresIds } from './postgres-account.ts';
import { findPostgresPrograms } from './postgres-programs.ts';
import { createRedis, redisUrl } from './redis.ts';
import { createS3, S3_REGION, s3Endpoint } from './s3.ts';
import { loadSecrets, type Secrets } from './secrets.ts';
import { prepareStateDir, type StateDir } from './state-dir.ts';
import { takeLock } from './state-lock.ts';
import { startWatchdog } from './watchdog.ts';

export interface ServerOptions {
  /** The state directory, created when missing. */
  stateDir: string;
  /** For tests: gives up safety against a power cut for speed. */
  fast?: boolean;
  /** Gives the dedup store a database of its own; one that has it from an earlier start keeps it. */
  separateCheckpoint?: boolean | undefined;
  /** Settings of PostgreSQL over the embedded one's own, as in postgresql.conf. */
  postgresSettings?: Readonly<Record<string, string | number>>;
  /** Gets lines for a person; silent when absent. */
  report?: (line: string) => void;
  /** The environment of the servers; process.env when absent. */
  env?: NodeJS.ProcessEnv;
  /** Gives up a start under way. */
  signal?: AbortSignal | undefined;
}

/** PostgreSQL, Redis and S3, up and answering. */
export interface Servers {
  dir: StateDir;
  secrets: Secrets;
  ports: PortBook;
  /** The addresses and secrets a service needs, by the names of the contract. */
  env: Record<string, string>;
  postgres: ManagedProcess;
  redis: ManagedProcess;
  s3: ManagedProcess;
  /** Stops S3, Redis, then PostgreSQL, and frees the state directory. */
  stop(): Promise<void>;
  /** Kills all three at once. */
  kill(): void;
}

const RAW_BUCKET = 'analytics-raw';
const ARCHIVE_BUCKET = 'analytics-backfill';

/**
 * Starts the three servers on 127.0.0.1 with the state of a directory. What an earlier, killed
 * run left behind is stopped first.
 * Throws StateInUseError when another process works on the directory; leaves nothing running.
 */
export async function startServers(options: ServerOptions): Promise<Servers> {
  return startServersIn(options, false);
}

async function startServersIn(options: ServerOptions, temporary: boolean): Promise<Servers> {
  const report = options.report ?? (() => undefined);
  const env = options.env ?? process.env;
  const ids = findPostgresIds(report);
  const dir = prepareStateDir(options.stateDir, ids?.gid);
  const unlock = takeLock(dir.lockFile, dir.root);
  let endWatchdog: () => Promise<void> = () => Promise.resolve();
  let running: ManagedProcess[] = [];
  const stop = async () => {
    // S3 and Redis first: PostgreSQL is the truth and outlives them.
    for (const server of running) await server.stop();
    await endWatchdog();
    unlock();
  };
  try {
    for (const name of await stopLeftovers(dir.run)) {
      report(`stopped ${name}, which an earlier run had left behind`);
    }
    rmSync(dir.envFile, { force: true });
    endWatchdog = startWatchdog(dir, temporary);
    const secrets = loadSecrets(dir);
    const ports = new PortBook(dir.portsFile);
    const port = {
      postgres: await ports.take('postgres'),
      redis: await ports.take('redis'),
      s3: await ports.take('s3'),
    };
    const common = { dir, env, report };
    const keys = { accessKeyId: secrets.s3AccessKeyId, secretAccessKey: secrets.s3SecretAccessKey };
    const s3 = createS3({ ...common, ...keys, port: port.s3, buckets: [RAW_BUCKET, ARCHIVE_BUCKET] });
    const redis = createRedis({ ...common, port: port.redis, password: secrets.redisPassword });
    const postgres = createPostgres({
      ...common,
      ids,
      port: port.postgres,
      password: secrets.postgresPassword,
      programs: await findPostgresPrograms(),
      fast: options.fast ?? false,
      settings: options.postgresSettings,
    });
    running = [s3, redis, postgres];
    await startAll(running, options.signal);
    const separateCheckpoint = options.separateCheckpoint ?? false;
    const databases = await ensureDatabases(secrets.postgresPassword, port.postgres, separateCheckpoint);
    const kill = () => {
      for (const server of running) server.kill();
    };
    const addresses = {
      ...databases,
      REDIS_URL: redisUrl(secrets.redisPassword, port.redis),
      S3_ENDPOINT: s3Endpoint(port.s3),
      S3_REGION,
      AWS_ACCESS_KEY_ID: secrets.s3AccessKeyId,
      AWS_SECRET_ACCESS_KEY: secrets.s3SecretAccessKey,
      BACKFILL_RAW_BUCKET: RAW_BUCKET,
      BACKFILL_ARCHIVE_BUCKET: ARCHIVE_BUCKET,
      ANALYTICS_SALT_FILE: dir.saltFile,
      AUDIT_KEY_FILE: dir.auditKeyFile,
    };
    return { dir, secrets, ports, env: addresses, postgres, redis, s3, stop, kill };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Like startServers, in a temporary folder that stop() deletes. For tests. */
export async function startTemporaryServers(options: Omit<ServerOptions, 'stateDir'> = {}): Promise<Servers> {
  const stateDir = mkdtempSync(path.join(tmpdir(), 'backfill-'));
  const remove = () => rmSync(stateDir, { recursive: true, force: true, maxRetries: 5 });
  try {
    const servers = await startServersIn({ fast: true, ...options, stateDir }, true);
    return {
      ...servers,
      async stop() {
        await servers.stop();
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}
