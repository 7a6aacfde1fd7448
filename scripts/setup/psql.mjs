// psql, which the tests use to run the runbook's SQL files as an operator would.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { ask, SetupError, say, which } from './shell.mjs';
import { installPlan, packagePlan } from './system-package.mjs';

/**
 * Returns the folder to add to PATH, or undefined when psql is on it. `alone` runs an
 * installation while no other set-up is at work. Throws SetupError.
 */
export async function setUpPsql(alone) {
  if (!found()) await alone(install);
  return which('psql') === undefined ? kegFolder() : undefined;
}

/** Asked again inside the lock: another set-up may have installed it meanwhile. */
async function install() {
  if (found()) return;
  const plan = packagePlan('psql');
  if (plan?.allowed) {
    say(`no psql on PATH; installing it: ${plan.command}`);
    if (await installPlan(plan, found)) return;
  }
  const advice = plan === undefined ? 'Install the PostgreSQL client.' : `Run:\n\n    ${plan.command}\n`;
  throw new SetupError(`The tests need psql, which is not on PATH. ${advice}`);
}

function found() {
  return which('psql') !== undefined || kegFolder() !== undefined;
}

/** Homebrew does not link libpq into its bin folder. */
function kegFolder() {
  if (process.platform !== 'darwin' || which('brew') === undefined) return undefined;
  const prefix = ask('brew', ['--prefix', 'libpq'])?.trim();
  if (!prefix) return undefined;
  const folder = path.join(prefix, 'bin');
  return existsSync(path.join(folder, 'psql')) ? folder : undefined;
}
