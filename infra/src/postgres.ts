import { execFile } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { type ManagedProcess, manageProcess } from './managed-process.ts';
import { type PostgresAccount, reachAs } from './postgres-account.ts';
import type { PostgresPrograms } from './postgres-programs.ts';
import { processMentions, type StopStep, stopProcess } from './processes.ts';
import type { StateDir } from './state-dir.ts';

/** The database of the stack. */
const DATABASE = 'backfill';
/** The dedup store's own, where it has one. */
const CHECKPOINT_DATABASE = 'backfill_checkpoint';
const SUPERUSER = 'postgres';

export interface PostgresOptions {
  dir: StateDir;
  port: number;
  password: string;
  programs: PostgresPrograms;
  /** The account to run under, as root; undefined runs it as ourselves. */
  ids: PostgresAccount['ids'];
  /** For tests: no protection against a power cut. */
  fast: boolean;
  /** Settings over the embedded server's own, as in postgresql.conf. */
  settings?: Readonly<Record<string, string | number>> | undefined;
  env: NodeJS.ProcessEnv;
  report: (line: string) => void;
}

// SIGINT is PostgreSQL's fast shutdown; SIGQUIT leaves the work to crash recovery.
const STOP: StopStep[] = [
  { signal: 'SIGINT', graceMs: 20_000 },
  { signal: 'SIGQUIT', graceMs: 5_000 },
  { signal: 'SIGKILL', graceMs: 5_000 },
];
const READY_TIMEOUT_MS = 120_000;
const SMALL_SHM_BYTES = 256 * 1024 * 1024;

/** The address of a database of the embedded server. */
function postgresUrl(password: string, port: number, database: string): string {
  return `postgres://${SUPERUSER}:${password}@127.0.0.1:${port}/${database}`;
}

/**
 * Prepares the embedded PostgreSQL; creates its data directory at the first start. Listens on
 * 127.0.0.1 only, without Unix sockets.
 */
export function createPostgres(options: PostgresOptions): ManagedProcess {
  const { dir, programs, port } = options;
  const account = reachAs(options.ids, programs.postgres, dir.root);
  const env = withoutPgVariables(options.env);
  const words = [...account.prefix, programs.postgres, '-D', dir.postgres, '-p', String(port)];
  const [command = programs.postgres, ...args] = [...words, ...settings(options)];
  return manageProcess(
    {
      name: 'postgres',
      command,
      args,
      env,
      ...(account.ids && { account: account.ids }),
      cwd: '/',
      ipc: false,
      logFile: path.join(dir.logs, 'postgres.log'),
      runDir: dir.run,
      async beforeStart() {
        await initialise(options, account, env);
        await clearPostmaster(dir.postgres);
      },
      notReady: () => notReady(postgresUrl(options.password, port, 'postgres')),
      readyTimeoutMs: READY_TIMEOUT_MS,
      stop: STOP,
    },
    options.report,
  );
}

/**
 * Creates the stack's databases when they are not there yet.
 *
 * @param separateCheckpoint a database for the dedup store too; one that is there already stays in use without it
 * @returns the addresses, by the names of the contract
 */
export async function ensureDatabases(
  password: string,
  port: number,
  separateCheckpoint: boolean,
): Promise<Record<string, string>> {
  const client = new pg.Client({ connectionString: postgresUrl(password, port, 'postgres') });
  await client.connect();
  try {
    const { rows } = await client.query<{ datname: string }>('select datname from pg_database');
    const there = new Set(rows.map(({ datname }) => datname));
    const wanted = [DATABASE, ...(separateCheckpoint ? [CHECKPOINT_DATABASE] : [])];
    for (const name of wanted.filter((name) => !there.has(name))) {
      await client.query(`create database ${client.escapeIdentifier(name)}`);
    }
    const isSeparate = separateCheckpoint || there.has(CHECKPOINT_DATABASE);
    return {
      DATABASE_URL: postgresUrl(password, port, DATABASE),
      ...(isSeparate && { CHECKPOINT_DATABASE_URL: postgresUrl(password, port, CHECKPOINT_DATABASE) }),
    };
  } finally {
    await client.end();
  }
}

function settings({ fast, settings: given }: PostgresOptions): string[] {
  const values = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: 200,
    // Two-phase commit, when the dedup store is another database.
    max_prepared_transactions: 50,
    shared_buffers: fast ? '64MB' : '256MB',
    max_wal_size: '2GB',
    timezone: 'UTC',
    log_timezone: 'UTC',
    // Statements, details and contexts quote rows, and rows hold personal data.
    log_error_verbosity: 'terse',
    log_min_error_statement: 'panic',
    // Containers often have 64 MB of /dev/shm, too little for parallel queries.
    dynamic_shared_memory_type: hasSmallShm() ? 'mmap' : 'posix',
    ...(fast && { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
    ...given,
  };
  return Object.entries(values).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
}

function hasSmallShm(): boolean {
  if (process.platform !== 'linux' || !existsSync('/dev/shm')) return false;
  const { bsize, blocks } = statfsSync('/dev/shm');
  return bsize * blocks < SMALL_SHM_BYTES;
}

async function initialise(options: PostgresOptions, account: PostgresAccount, env: NodeJS.ProcessEnv): Promise<void> {
  const { dir, ids } = options;
  if (existsSync(path.join(dir.postgres, 'PG_VERSION'))) return;
  options.report('creating the PostgreSQL data directory');
  // What an interrupted initdb left has no PG_VERSION yet or is incomplete; it holds no data.
  rmSync(dir.postgres, { recursive: true, force: true });
  mkdirSync(dir.postgres, { mode: 0o700 });
  const passwordFile = path.join(dir.root, 'postgres-password');
  writeFileSync(passwordFile, `${options.password}\n`, { mode: 0o600 });
  if (ids !== undefined) {
    for (const file of [dir.postgres, passwordFile]) chownSync(file, ids.uid, ids.gid);
  }
  const words = [
    ...[...account.prefix, options.programs.initdb, `--pgdata=${dir.postgres}`],
    ...[`--username=${SUPERUSER}`, `--pwfile=${passwordFile}`, '--auth=scram-sha-256'],
    // The built-in collation is the same on every machine, whatever its C library.
    ...['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'],
    ...(options.fast ? ['--no-sync'] : []),
  ];
  const [command = options.programs.initdb, ...args] = words;
  try {
    await promisify(execFile)(command, args, { env, cwd: '/', ...account.ids });
  } catch (error) {
    rmSync(dir.postgres, { recursive: true, force: true });
    throw error;
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

/**
 * A server that was killed leaves its postmaster.pid. PostgreSQL refuses to start while any
 * process of its account has that number, so a number that is not ours any more is cleared away
 * and a server that still runs is stopped.
 */
async function clearPostmaster(dataDir: string): Promise<void> {
  const file = path.join(dataDir, 'postmaster.pid');
  if (!existsSync(file)) return;
  const pid = Number.parseInt(readFileSync(file, 'utf8'), 10);
  if (Number.isSafeInteger(pid) && pid > 1 && processMentions(pid, dataDir)) await stopProcess(pid, STOP);
  rmSync(file, { force: true });
}

async function notReady(connectionString: string): Promise<string | undefined> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 5_000 });
  try {
    await client.connect();
    await client.query('select 1');
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message || String(error) : String(error);
  } finally {
    await client.end();
  }
}

/** PGOPTIONS, PGDATA and their like of the caller are about another server. */
function withoutPgVariables(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([key]) => !key.startsWith('PG')));
}
