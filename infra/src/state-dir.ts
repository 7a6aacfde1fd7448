import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { REPOSITORY_ROOT } from './repository.ts';

/** Where everything that must survive a restart lives. All paths are absolute. */
export interface StateDir {
  root: string;
  postgres: string;
  redis: string;
  s3: string;
  logs: string;
  /** Which processes belong to this state: one file per process. */
  run: string;
  secretsFile: string;
  saltFile: string;
  auditKeyFile: string;
  portsFile: string;
  envFile: string;
  lockFile: string;
}

/** The state directory asked for: the option, else BACKFILL_STATE_DIR, else `.backfill`. */
export function chooseStateDir(option: string | undefined, env: NodeJS.ProcessEnv): string {
  return path.resolve(option ?? (env.BACKFILL_STATE_DIR || path.join(REPOSITORY_ROOT, '.backfill')));
}

/** Names the places inside a state directory without touching the disk. */
export function stateDirAt(root: string): StateDir {
  return {
    root,
    postgres: path.join(root, 'postgres'),
    redis: path.join(root, 'redis'),
    s3: path.join(root, 's3'),
    logs: path.join(root, 'logs'),
    run: path.join(root, 'run'),
    secretsFile: path.join(root, 'secrets.json'),
    saltFile: path.join(root, 'analytics-salt'),
    auditKeyFile: path.join(root, 'audit-key'),
    portsFile: path.join(root, 'ports.json'),
    envFile: path.join(root, 'env'),
    lockFile: path.join(root, 'lock'),
  };
}

/**
 * Creates the directories, for the owner alone. With `throughGroup` members of that group may
 * pass through (not list) the root: PostgreSQL runs under another account when we are root.
 * A directory that holds other things keeps its own permissions.
 */
export function prepareStateDir(root: string, throughGroup: number | undefined): StateDir {
  mkdirSync(root, { recursive: true, mode: 0o700 });
  const dir = stateDirAt(realpathSync(root));
  if (existsSync(dir.secretsFile) || readdirSync(dir.root).length === 0) {
    if (throughGroup !== undefined) chownSync(dir.root, 0, throughGroup);
    chmodSync(dir.root, throughGroup === undefined ? 0o700 : 0o710);
  }
  for (const folder of [dir.redis, dir.s3, dir.logs, dir.run]) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }
  return dir;
}

/** Writes a file that only the owner can read, in one step: a reader never sees half of it. */
export function writePrivateFile(file: string, content: string): void {
  const draft = `${file}.${process.pid}.tmp`;
  writeFileSync(draft, content, { mode: 0o600, flush: true });
  renameSync(draft, file);
}
