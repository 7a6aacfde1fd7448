// Chromium, in which the tests of the report's page look at it.
import { SetupError, say, which } from './shell.mjs';
import { installPlan, packagePlan } from './system-package.mjs';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];
/** Where installers of macOS put programs that are not for the shell. */
const APPLICATIONS = [
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/**
 * Returns the path of a Chromium. `alone` runs an installation while no other set-up is at work. Throws SetupError with
 * the command to run where nothing may be installed.
 */
export async function setUpChromium(alone) {
  const chosen = process.env.BACKFILL_CHROMIUM;
  if (chosen) return chosen;
  return found() ?? alone(install);
}

/** Asked again inside the lock: another set-up may have installed it meanwhile. */
async function install() {
  const there = found();
  if (there !== undefined) return there;
  const plan = packagePlan('chromium');
  if (plan?.allowed) {
    say(`no chromium on PATH; installing it: ${plan.command}`);
    if (await installPlan(plan, () => found() !== undefined)) return found();
  }
  const advice = plan === undefined ? 'Install Chromium.' : `Run:\n\n    ${plan.command}\n`;
  throw new SetupError(`The tests of the report's page need Chromium, which is not on PATH. ${advice}`);
}

function found() {
  return [...NAMES, ...APPLICATIONS].map(which).find((program) => program !== undefined);
}
