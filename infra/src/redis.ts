import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';
import { type ManagedProcess, manageProcess } from './managed-process.ts';
import type { StopStep } from './processes.ts';
import { type StateDir, writePrivateFile } from './state-dir.ts';

export interface RedisOptions {
  dir: StateDir;
  port: number;
  password: string;
  env: NodeJS.ProcessEnv;
  report: (line: string) => void;
}

/** Pulled by the set-up. */
const IMAGE = 'valkey/valkey:8';
const STOP: StopStep[] = [
  { signal: 'SIGTERM', graceMs: 15_000 },
  { signal: 'SIGKILL', graceMs: 5_000 },
];
const READY_TIMEOUT_MS = 120_000;

/** The address of the embedded server. */
export function redisUrl(password: string, port: number): string {
  return `redis://default:${password}@127.0.0.1:${port}`;
}

/**
 * Prepares the embedded Redis: append-only file synced every second, and no eviction, because
 * BullMQ's keys may not vanish. BACKFILL_REDIS_SERVER names the program, or `docker`.
 * Throws when there is none.
 */
export function createRedis(options: RedisOptions): ManagedProcess {
  const { dir, port, password } = options;
  const server = options.env.BACKFILL_REDIS_SERVER || findServer(options.env.PATH ?? '');
  const inDocker = server === 'docker';
  const config = path.join(dir.redis, 'redis.conf');
  const container = `backfill-redis-${port}`;
  return manageProcess(
    {
      name: 'redis',
      command: server,
      args: inDocker ? dockerArgs(container, port, dir.redis) : [config],
      env: options.env,
      cwd: dir.redis,
      ipc: false,
      logFile: path.join(dir.logs, 'redis.log'),
      runDir: dir.run,
      async beforeStart() {
        // The password stands in a file, not in arguments that every user can list.
        writePrivateFile(
          config,
          inDocker ? configText(6379, password, '/data', '*') : configText(port, password, dir.redis, '127.0.0.1'),
        );
        if (inDocker) await promisify(execFile)('docker', ['rm', '--force', container]);
      },
      notReady: () => notReady(port, password),
      readyTimeoutMs: READY_TIMEOUT_MS,
      stop: STOP,
    },
    options.report,
  );
}

function configText(port: number, password: string, folder: string, bind: string): string {
  const lines = [
    ...[`port ${port}`, `bind ${bind}`, `requirepass ${password}`, 'protected-mode yes'],
    ...[`dir ${JSON.stringify(folder)}`, 'appendonly yes', 'appendfsync everysec', 'save ""'],
    ...['maxmemory-policy noeviction', 'daemonize no', 'logfile ""'],
  ];
  return `${lines.join('\n')}\n`;
}

function dockerArgs(container: string, port: number, folder: string): string[] {
  return [
    ...['run', '--rm', '--name', container, '--publish', `127.0.0.1:${port}:6379`],
    // As ourselves, so that the files in the state directory stay ours.
    ...['--user', `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`],
    ...['--volume', `${folder}:/data`, IMAGE, 'valkey-server', '/data/redis.conf'],
  ];
}

function findServer(searchPath: string): string {
  for (const name of ['redis-server', 'valkey-server']) {
    for (const folder of searchPath.split(path.delimiter)) {
      const program = path.join(folder, name);
      if (folder !== '' && isExecutable(program)) return program;
    }
  }
  throw new Error('No redis-server or valkey-server on PATH. `npm start` and `npm test` install one.');
}

function isExecutable(program: string): boolean {
  try {
    accessSync(program, constants.X_OK);
    return true;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'EACCES' || code === 'ENOTDIR') return false;
    throw error;
  }
}

/** Asks over the plain protocol: while Redis reads its append-only file it answers LOADING. */
async function notReady(port: number, password: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = net.connect({ host: '127.0.0.1', port });
    const finish = (reason: string | undefined) => {
      socket.destroy();
      resolve(reason);
    };
    socket.setTimeout(5_000, () => finish('no answer within 5 s'));
    socket.once('error', (error) => finish(error.message));
    socket.once('close', () => finish('it closed the connection'));
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
      if (answer.startsWith('+OK\r\n+PONG')) finish(undefined);
      else if (answer.startsWith('-') || answer.includes('\n-')) finish(answer.trim());
    });
    socket.write(`AUTH ${password}\r\nPING\r\n`);
  });
}
