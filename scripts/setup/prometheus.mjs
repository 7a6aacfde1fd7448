// Prometheus with promtool, by which the tests of metrics and alerts are scraped and judged.
import { SetupError, say, which } from './shell.mjs';
import { installPlan, packagePlan } from './system-package.mjs';

/** Makes sure that both are on PATH. `alone` runs an installation while no other set-up is at work. Throws SetupError. */
export async function setUpPrometheus(alone) {
  if (!found()) await alone(install);
}

/** Asked again inside the lock: another set-up may have installed it meanwhile. */
async function install() {
  if (found()) return;
  const plan = packagePlan('prometheus');
  if (plan?.allowed) {
    say(`no prometheus on PATH; installing it: ${plan.command}`);
    if (await installPlan(plan, found)) return;
  }
  const advice = plan === undefined ? 'Install Prometheus.' : `Run:\n\n    ${plan.command}\n`;
  throw new SetupError(`The tests of the alerts need prometheus and promtool, which are not on PATH. ${advice}`);
}

function found() {
  return ['prometheus', 'promtool'].every((name) => which(name) !== undefined);
}
