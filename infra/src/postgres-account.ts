import { execFileSync, spawnSync } from 'node:child_process';

/** How PostgreSQL's programs are run: under which account, and through which other program. */
export interface PostgresAccount {
  /** Absent when we are not root: then PostgreSQL runs as we do. */
  ids: { uid: number; gid: number } | undefined;
  /** Words to put before the program, usually none. */
  prefix: readonly string[];
}

const USER = 'postgres';
const CREATE_USER = 'useradd';
/** The first is enough and grants less; containers often have only the second. */
const CAPABILITIES = ['dac_read_search', 'dac_override'];

/**
 * Finds the account for PostgreSQL, which refuses to run as root: our own, or as root the system
 * user `postgres`, which is created when there is none (`report` says so).
 */
export function findPostgresIds(report: (line: string) => void): PostgresAccount['ids'] {
  if (process.getuid?.() !== 0) return undefined;
  if (askId('-u') === undefined) {
    report(`PostgreSQL refuses to run as root: creating the system user ${USER} for it`);
    execFileSync(CREATE_USER, ['--system', '--user-group', '--no-create-home', USER], { stdio: 'pipe' });
  }
  const uid = askId('-u');
  const gid = askId('-g');
  if (uid === undefined || gid === undefined) throw new Error(`the system user ${USER} has no id`);
  return { uid, gid };
}

/**
 * Makes sure that the account can execute the program and enter the folder. Below a folder that
 * only root may enter (/root, or what mktemp makes) PostgreSQL gets the one capability it needs
 * to pass through. Throws with advice when that is not possible either.
 */
export function reachAs(ids: PostgresAccount['ids'], program: string, folder: string): PostgresAccount {
  if (ids === undefined) return { ids, prefix: [] };
  if (canReach(['sh'], ids, program, folder)) return { ids, prefix: [] };
  for (const capability of CAPABILITIES) {
    const prefix = [
      ...['setpriv', `--reuid=${ids.uid}`, `--regid=${ids.gid}`, '--clear-groups'],
      // PostgreSQL looks at its programs with access(), which leaves out the capabilities of
      // anybody but root unless this bit is set.
      '--securebits=+no_setuid_fixup',
      ...[`--inh-caps=+${capability}`, `--ambient-caps=+${capability}`],
    ];
    if (canReach([...prefix, 'sh'], undefined, program, folder)) return { ids: undefined, prefix };
  }
  throw new Error(
    `We are root, so PostgreSQL runs as the user ${USER}, and that user cannot reach ${program} or ` +
      `${folder}. Clone into a folder that others may enter, or run as an ordinary user.`,
  );
}

function canReach(shell: string[], ids: PostgresAccount['ids'], program: string, folder: string): boolean {
  const [command = 'sh', ...args] = shell;
  const test = 'test -x "$0" && cd "$1"';
  const answer = spawnSync(command, [...args, '-c', test, program, folder], { cwd: '/', ...ids });
  return answer.status === 0;
}

function askId(flag: '-u' | '-g'): number | undefined {
  const answer = spawnSync('id', [flag, USER], { encoding: 'utf8' });
  return answer.status === 0 ? Number.parseInt(answer.stdout, 10) : undefined;
}
