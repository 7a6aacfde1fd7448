// A Redis-compatible server of version 7.0 or newer: found, installed, or run by Docker.
import { ask, SetupError, say, which } from './shell.mjs';
import { installPlan, packagePlan } from './system-package.mjs';

const NAMES = ['redis-server', 'valkey-server'];
const OLDEST_MAJOR = 7;

/**
 * Returns what BACKFILL_REDIS_SERVER is to be: the path of a server program, or `docker`.
 * Throws SetupError with the command to run where nothing may be installed.
 */
export async function setUpRedis() {
  const chosen = process.env.BACKFILL_REDIS_SERVER;
  if (chosen) return chosen;
  const found = findServer();
  if (found.usable !== undefined) return found.usable;
  const missing = found.tooOld ?? 'no redis-server or valkey-server on PATH';
  const plan = packagePlan('redis');
  if (plan?.allowed) {
    say(`${missing}; installing one: ${plan.command}`);
    if (await installPlan(plan, () => findServer().usable !== undefined)) return findServer().usable;
  }
  if (which('docker') !== undefined && ask('docker', ['info', '--format', '{{.ID}}'])) {
    say(`${missing}; the stack will run valkey/valkey:8 in Docker instead`);
    return 'docker';
  }
  const advice = plan === undefined ? '' : `:\n\n    ${plan.command}\n\nor`;
  throw new SetupError(
    `${missing}. Install Redis or Valkey, version ${OLDEST_MAJOR}.0 or newer${advice} start Docker.`,
  );
}

function findServer() {
  let tooOld;
  for (const name of NAMES) {
    const program = which(name);
    if (program === undefined) continue;
    const version = ask(program, ['--version'])?.match(/v=((\d+)\.\d+[.\d]*)/);
    if (version && Number(version[2]) >= OLDEST_MAJOR) return { usable: program };
    tooOld = `${program} is version ${version?.[1] ?? 'unknown'}, too old`;
  }
  return { usable: undefined, tooOld };
}
