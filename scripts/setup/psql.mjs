// psql, which the tests use to run the runbook's SQL files as an operator would.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { ask, SetupError, say, which } from './shell.mjs';
import { installPlan, packagePlan } from './system-package.mjs';

/** Returns the folder to add to PATH, or undefined when psql is on it. Throws SetupError. */
export async function setUpPsql() {
  if (which('psql') !== undefined) return undefined;
  if (kegFolder() !== undefined) return kegFolder();
  const plan = packagePlan('psql');
  if (plan?.allowed) {
    say(`no psql on PATH; installing it: ${plan.command}`);
    const found = () => which('psql') !== undefined || kegFolder() !== undefined;
    if (await installPlan(plan, found)) return kegFolder();
  }
  const advice = plan === undefined ? 'Install the PostgreSQL client.' : `Run:\n\n    ${plan.command}\n`;
  throw new SetupError(`The tests need psql, which is not on PATH. ${advice}`);
}

/** Homebrew does not link libpq into its bin folder. */
function kegFolder() {
  if (process.platform !== 'darwin' || which('brew') === undefined) return undefined;
  const prefix = ask('brew', ['--prefix', 'libpq'])?.trim();
  if (!prefix) return undefined;
  const folder = path.join(prefix, 'bin');
  return existsSync(path.join(folder, 'psql')) ? folder : undefined;
}
