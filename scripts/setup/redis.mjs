// A Redis-compatible server of version 7.0 or newer: found, installed, or run by Docker.
import { ask, run, SetupError, say, which } from './shell.mjs';
import { installPlan, packagePlan } from './system-package.mjs';

const NAMES = ['redis-server', 'valkey-server'];
const OLDEST_MAJOR = 7;
/** The same as in infra/src/redis.ts. */
const IMAGE = 'valkey/valkey:8';
const MISSING = 'no redis-server or valkey-server on PATH';

/**
 * Returns what BACKFILL_REDIS_SERVER is to be: the path of a server program, or `docker`.
 * `alone` runs an installation while no other set-up is at work.
 * Throws SetupError with the command to run where nothing may be installed.
 */
export async function setUpRedis(alone) {
  const chosen = process.env.BACKFILL_REDIS_SERVER;
  if (chosen) return chosen;
  return findServer().usable ?? alone(install);
}

/** Asked again inside the lock: another set-up may have installed it meanwhile. */
async function install() {
  let { usable, tooOld } = findServer();
  if (usable !== undefined) return usable;
  const plan = packagePlan('redis');
  let advice = plan === undefined ? [] : [`Run:\n\n    ${plan.command}\n\nor`];
  if (plan?.allowed) {
    say(`${tooOld ?? MISSING}; installing one: ${plan.command}`);
    await installPlan(plan, () => findServer().usable !== undefined);
    ({ usable, tooOld } = findServer());
    if (usable !== undefined) return usable;
    // It was tried, and what the system offers is too old or does not install.
    advice = [];
  }
  if (which('docker') !== undefined && ask('docker', ['info', '--format', '{{.ID}}'])) {
    say(`${tooOld ?? MISSING}; the stack will run ${IMAGE} in Docker instead`);
    if (ask('docker', ['image', 'inspect', IMAGE]) === undefined) {
      say(`pulling ${IMAGE}`);
      await run('docker', ['pull', IMAGE]);
    }
    return 'docker';
  }
  const rest = `${advice.length === 0 ? 'Install' : 'install'} Redis or Valkey ${OLDEST_MAJOR}.0 or newer, or start Docker.`;
  throw new SetupError([`${tooOld ?? MISSING}.`, ...advice, rest].join(' '));
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
