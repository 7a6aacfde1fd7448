import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const INFRA = path.join(import.meta.dirname, '../../infra');
const run = promisify(execFile);
const MOST_OUTPUT_BYTES = 16 * 1024 * 1024;

/** infra/compose.yaml under a project name, with secrets, a configuration and ports of its own. */
export interface ComposeProject {
  /** A folder of this project, which its command line sees as /logs. */
  folder: string;
  /** Runs `docker compose` with these words; rejects when it fails. Returns what it printed on stdout. */
  compose(...words: string[]): Promise<string>;
  /** Runs `backfill` in a container of its own, as docs/containers.md has it. */
  backfill(...words: string[]): Promise<string>;
  /** Runs one statement in the project's database; one value. */
  value(statement: string): Promise<string>;
  /** Where on this machine a port of a service is. */
  url(service: string, port: number): Promise<string>;
  /** One of the project's secrets. */
  secret(name: string): Promise<string>;
  /** Removes the project's containers, networks, volumes and folder, and nothing else. */
  remove(): Promise<void>;
}

/** Writes the project's folder. Starts nothing yet. */
export async function createComposeProject(): Promise<ComposeProject> {
  const folder = await mkdtemp(path.join(tmpdir(), 'backfill-compose-'));
  const name = `backfill-test-${randomBytes(4).toString('hex')}`;
  const dir = path.join(folder, 'compose');
  // Port 0 is any that is free.
  const ports = { API_PORT: '0', PROMETHEUS_PORT: '0', GRAFANA_PORT: '0' };
  const env = { ...process.env, BACKFILL_COMPOSE_DIR: dir, BACKFILL_IMAGE: name, ...ports };
  const compose = async (...words: string[]) => {
    const args = ['compose', '-p', name, '-f', path.join(INFRA, 'compose.yaml'), ...words];
    const { stdout } = await run('docker', args, { env, maxBuffer: MOST_OUTPUT_BYTES });
    return stdout;
  };
  await run(path.join(INFRA, 'compose/init.sh'), [dir], { env });
  return {
    folder,
    compose,
    backfill: (...words) => {
      // As ourselves: the folder is nobody else's.
      const user = ['--user', `${process.getuid?.()}:${process.getgid?.()}`];
      return compose('run', '--rm', '-T', ...user, '-v', `${folder}:/logs`, 'backfill', ...words);
    },
    async value(statement) {
      const psql = [
        'psql',
        '-U',
        'backfill',
        '-d',
        'backfill',
        '-X',
        '-A',
        '-t',
        '-v',
        'ON_ERROR_STOP=1',
        '-c',
        statement,
      ];
      return (await compose('exec', '-T', 'postgres', ...psql)).trim();
    },
    url: async (service, port) => `http://${(await compose('port', service, String(port))).trim()}`,
    secret: async (name) => (await readFile(path.join(dir, 'secrets', name), 'utf8')).trim(),
    async remove() {
      await compose('--profile', 'tools', 'down', '--volumes', '--remove-orphans', '--rmi', 'local', '--timeout', '10');
      await run('docker', ['image', 'rm', '--force', name]);
      await rm(folder, { recursive: true });
    },
  };
}
