import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { migrate } from '@backfill/core/db/migrate';
import { ROLES } from '@backfill/core/domain/approvals';
import { isDependencyUnavailable } from '@backfill/core/errors';
import { registerTokens, tokenVariable } from '@backfill/infra/api-tokens';
import { nodeEnv } from '@backfill/infra/node-env';
import type { Servers } from '@backfill/infra/servers';
import { serviceEnv } from '@backfill/infra/service-env';
import pg from 'pg';
import { createBuckets } from '../support/buckets.ts';
import { createConfigDir } from '../support/config-dir.ts';
import type { KeyLayout } from '../support/environment.ts';
import { type LyingS3, startLyingS3 } from '../support/lying-s3.ts';
import { waitFor } from '../support/wait-for.ts';
import { createLiveTable } from './live-writer.ts';
import { SIGNATURES } from './signatures.ts';
import { WORKER_NAMES, type WorkerName } from './worker-names.ts';
import { startWorker, type WorkerProcess } from './worker-process.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const REPLICAS: Partial<Record<WorkerName, number>> = { transformer: 2, importer: 2 };
const SERVER_BACK_MS = 60_000;
/** However busy the machine is. */
const START_MS = 300_000;

export interface WorldOptions {
  servers: Servers;
  /** Of the database, the buckets and the queue prefix. */
  name: string;
  /** After which a silent worker loses its job. */
  lockMs: number;
  /** Where the dedup store is. */
  layout: KeyLayout;
  chunkBytes: number;
  /** Where the services' logs go; they go with the servers when absent. */
  logsDir?: string | undefined;
  partLines: number;
  /** The importer to run; the real one when absent. */
  importerMain?: string | undefined;
  /** One process of each service, where nobody dies anyway. */
  isSmall?: boolean;
  /** Points at which processes die. */
  crashes?: readonly string[];
}

export type Ask = <Row extends pg.QueryResultRow>(sql: string, values?: unknown[]) => Promise<Row[]>;

/** A database, buckets and queues of its own, with all services as real processes. */
export interface World {
  env: Record<string, string>;
  /** Between the services and the object store. */
  s3: LyingS3;
  workers: Readonly<Record<WorkerName, readonly WorkerProcess[]>>;
  /** Points that no process has died at yet. */
  crashesLeft(): string[];
  /** Runs SQL; waits for a PostgreSQL that is away. */
  ask: Ask;
  /** The same in the database of the dedup store. */
  askKeys: Ask;
  stop(): Promise<void>;
}

async function createDatabase(servers: Servers, name: string): Promise<string> {
  const admin = new pg.Client({ connectionString: servers.env.DATABASE_URL });
  await admin.connect();
  await admin.query(`create database ${name}`);
  await admin.end();
  const url = new URL(servers.env.DATABASE_URL ?? '');
  url.pathname = `/${name}`;
  return url.href;
}

/** The services bring their schemas up to date themselves; only the tokens need theirs now. */
async function createDatabases(servers: Servers, name: string, layout: KeyLayout): Promise<Record<string, string>> {
  const databaseUrl = await createDatabase(servers, name);
  await migrate({ connectionString: databaseUrl });
  await registerTokens(databaseUrl, servers.secrets.tokens);
  const env = { DATABASE_URL: databaseUrl };
  if (layout === 'with the events') return env;
  return { ...env, CHECKPOINT_DATABASE_URL: await createDatabase(servers, `${name}_keys`) };
}

function createAsk(databaseUrl: string | undefined): { ask: Ask; end(): Promise<void> } {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 2 });
  // Told to whoever asks next.
  pool.on('error', () => undefined);
  return {
    ask: (sql, values) =>
      waitFor(
        'PostgreSQL to answer',
        () =>
          pool.query(sql, values).then(
            ({ rows }) => rows,
            (error: unknown) => {
              if (isDependencyUnavailable(error)) return undefined;
              throw error;
            },
          ),
        SERVER_BACK_MS,
      ),
    end: () => pool.end(),
  };
}

/** A folder with a file for each point, which the process takes away that dies there. */
function armCrashes(points: readonly string[]): string {
  const dir = mkdtempSync(path.join(tmpdir(), 'backfill-crashes-'));
  for (const point of points) writeFileSync(path.join(dir, point), '');
  return dir;
}

async function untilDispatching(ask: Ask): Promise<void> {
  const find = async () => {
    const held = await ask(`select 1 from pg_locks where locktype = 'advisory' and objsubid = 1 and granted
                               and database = (select oid from pg_database where datname = current_database())`);
    return held.length > 0 ? true : undefined;
  };
  await waitFor('the dispatcher to be in office', find, START_MS);
}

/** Starts the services, the API first, which thereby becomes the dispatcher. */
export async function startWorld(options: WorldOptions): Promise<World> {
  const { servers, name } = options;
  const databases = await createDatabases(servers, name, options.layout);
  const buckets = { BACKFILL_RAW_BUCKET: `raw-${name}`, BACKFILL_ARCHIVE_BUCKET: `archive-${name}` };
  await createBuckets(servers.env, Object.values(buckets));
  const config = await createConfigDir((policy) => {
    policy.approvals = { run: [...SIGNATURES.run], publish: [...SIGNATURES.publish] };
    Object.assign(policy.gates.default, { duplicate_ratio: 1, max_overlap: 1 });
  });
  const s3 = await startLyingS3(servers.env.S3_ENDPOINT ?? '');
  const apiPort = await servers.ports.take(`${name}-api`);
  const crashDir = armCrashes(options.crashes ?? []);
  const env = {
    ...servers.env,
    ...buckets,
    ...databases,
    S3_ENDPOINT: s3.endpoint,
    BACKFILL_QUEUE_PREFIX: name,
    BACKFILL_CONFIG_DIR: config.dir,
    BACKFILL_JOB_LOCK_MS: String(options.lockMs),
    TRANSFORMER_CHUNK_BYTES: String(options.chunkBytes),
    TRANSFORMER_PART_LINES: String(options.partLines),
    BACKFILL_CRASH_AT: crashDir,
    BACKFILL_API_URL: `http://127.0.0.1:${apiPort}`,
    ...Object.fromEntries(ROLES.map((role) => [tokenVariable(role), servers.secrets.tokens[role]])),
  };
  const logs = path.join(options.logsDir ?? servers.dir.logs, name);
  mkdirSync(logs, { recursive: true });
  const startOne = (worker: WorkerName, number: number, port: number) => {
    const own = worker === 'importer' ? options.importerMain : undefined;
    return startWorker({
      name: `${worker}-${number}`,
      url: `http://127.0.0.1:${port}`,
      main: own ?? path.join(ROOT, 'services', worker, 'src/main.ts'),
      env: nodeEnv(serviceEnv(process.env, { ...env, [`${worker.toUpperCase()}_PORT`]: String(port) })),
      logFile: path.join(logs, `${worker}-${number}.log`),
    });
  };
  const start = async (worker: WorkerName) => {
    const replicas = options.isSmall ? 1 : (REPLICAS[worker] ?? 1);
    const numbers = Array.from({ length: replicas }, (_, index) => index + 1);
    return Promise.all(
      numbers.map(async (number) => startOne(worker, number, await servers.ports.take(`${name}-${worker}-${number}`))),
    );
  };
  const events = createAsk(databases.DATABASE_URL);
  const keys = createAsk(databases.CHECKPOINT_DATABASE_URL ?? databases.DATABASE_URL);
  await createLiveTable(events.ask);
  await createLiveTable(keys.ask);
  const workers = { api: [startOne('api', 1, apiPort)] } as Record<WorkerName, WorkerProcess[]>;
  await untilDispatching(events.ask);
  for (const worker of WORKER_NAMES.slice(1)) workers[worker] = await start(worker);
  return {
    env,
    s3,
    workers,
    crashesLeft: () => readdirSync(crashDir),
    ask: events.ask,
    askKeys: keys.ask,
    async stop() {
      await Promise.all(
        Object.values(workers)
          .flat()
          .map((worker) => worker.stop()),
      );
      await events.end();
      await keys.end();
      await s3.close();
      await config.remove();
      rmSync(crashDir, { recursive: true, force: true });
    },
  };
}
