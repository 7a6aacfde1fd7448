// The pinned Node, the tools and the libraries, exactly as the lockfile has them.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { run, SetupError, say, which } from './shell.mjs';

const GROUPS = ['packages', 'services'];
const SINGLES = ['.', 'infra', 'test'];

/** Where the pinned Node stands once the dependencies are installed. */
export function pinnedNode(root) {
  return path.join(root, 'node_modules', 'node', 'bin', 'node');
}

/** True when node_modules was installed from exactly these files on this kind of machine. */
function dependenciesReady(root) {
  if (!existsSync(pinnedNode(root)) || !existsSync(stampFile(root))) return false;
  return readFileSync(stampFile(root), 'utf8') === fingerprint(root);
}

/**
 * Installs the dependencies from the lockfile. Does nothing when they are up to date. `alone`
 * runs the installation while no other set-up is at work.
 */
export async function setUpDependencies(root, alone) {
  if (!dependenciesReady(root)) await alone(() => install(root));
}

async function install(root) {
  // Another set-up may have done it while we waited for the lock.
  if (dependenciesReady(root)) return;
  const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  const manager = manifest.packageManager.split('+')[0];
  const npx = which('npx');
  if (npx === undefined) throw new SetupError('npx is not on PATH; install npm (it comes with Node)');
  say(`installing the dependencies from the lockfile with ${manager} (first time: about a minute)`);
  rmSync(stampFile(root), { force: true });
  // CI keeps pnpm from asking questions. It already is the pinned version, so it need not fetch
  // and record itself. NODE_ENV=production would leave the tools out.
  const { NODE_ENV: _left, ...inherited } = process.env;
  const env = { ...inherited, CI: 'true', pnpm_config_pm_on_fail: 'ignore' };
  await run(npx, ['--yes', manager, 'install', '--frozen-lockfile'], { cwd: root, env });
  if (!existsSync(pinnedNode(root))) {
    throw new SetupError(`the install left no ${pinnedNode(root)}`);
  }
  writeFileSync(stampFile(root), fingerprint(root));
}

function stampFile(root) {
  return path.join(root, 'node_modules', '.backfill-setup');
}

function fingerprint(root) {
  const folders = [...SINGLES];
  for (const group of GROUPS) {
    for (const name of readdirSync(path.join(root, group)).sort()) folders.push(`${group}/${name}`);
  }
  const files = ['pnpm-lock.yaml', 'pnpm-workspace.yaml', ...folders.map((f) => `${f}/package.json`)];
  const hash = createHash('sha256').update(`${process.platform}-${process.arch}\n`);
  for (const file of files) {
    const full = path.join(root, file);
    if (existsSync(full)) hash.update(`${file}\n`).update(readFileSync(full));
  }
  return hash.digest('hex');
}
