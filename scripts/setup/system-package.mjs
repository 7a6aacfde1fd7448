// Installs one system package with whatever package manager the machine has.
import { existsSync } from 'node:fs';
import { ask, run, say, which } from './shell.mjs';

/**
 * Per manager: the steps before an install, the install, and the packages by need.
 * `asRoot` false means the manager refuses to run as root.
 */
const MANAGERS = [
  {
    program: 'apt-get',
    asRoot: true,
    before: [['apt-get', 'update']],
    install: ['apt-get', 'install', '-y', '--no-install-recommends'],
    packages: {
      redis: ['redis-server'],
      psql: ['postgresql-client'],
      chromium: ['chromium', 'chromium-browser'],
      prometheus: ['prometheus'],
    },
  },
  {
    program: 'dnf',
    asRoot: true,
    before: [],
    install: ['dnf', 'install', '-y'],
    packages: {
      redis: ['valkey', 'redis'],
      psql: ['postgresql'],
      chromium: ['chromium'],
      prometheus: ['golang-github-prometheus', 'prometheus'],
    },
  },
  {
    program: 'pacman',
    asRoot: true,
    before: [],
    install: ['pacman', '-Sy', '--noconfirm', '--needed'],
    packages: { redis: ['valkey'], psql: ['postgresql-libs'], chromium: ['chromium'], prometheus: ['prometheus'] },
  },
  {
    program: 'brew',
    asRoot: false,
    before: [],
    install: ['brew', 'install'],
    packages: { redis: ['redis'], psql: ['libpq'], chromium: ['chromium'], prometheus: ['prometheus'] },
  },
];

/** Needs whose packages come with a service. */
const SERVICES = ['redis', 'prometheus'];

// Without a terminal to ask on; RUNLEVEL=1 keeps Debian's scripts from starting the service.
const QUIET = ['DEBIAN_FRONTEND=noninteractive', 'RUNLEVEL=1'];

/**
 * What can be done here about a need (`redis`, `psql`, `chromium` or `prometheus`): the packages to try, whether we may
 * install them, and the command a person would type. Undefined without a known manager.
 */
export function packagePlan(need) {
  const manager = MANAGERS.find(({ program }) => which(program) !== undefined);
  if (manager === undefined) return undefined;
  const isRoot = process.getuid?.() === 0;
  const sudo = manager.asRoot && !isRoot;
  const allowed = manager.asRoot ? isRoot || maySudo() : !isRoot;
  const [first] = manager.packages[need];
  const typed = [...manager.before, [...manager.install, first]]
    .map((words) => (sudo ? ['sudo', ...words] : words).join(' '))
    .join(' && ');
  return { manager, need, sudo, allowed, command: typed };
}

/** Installs the packages of a plan, one after the other, until `found()` is true. */
export async function installPlan(plan, found) {
  for (const step of plan.manager.before) await asAllowed(plan, step);
  for (const name of plan.manager.packages[plan.need]) {
    const unmask = await keepServiceDown(plan, name);
    try {
      await asAllowed(plan, [...plan.manager.install, name]);
    } catch (error) {
      say(error.message);
    } finally {
      await unmask();
    }
    if (found()) return true;
  }
  return false;
}

function maySudo() {
  return which('sudo') !== undefined && ask('sudo', ['-n', 'true']) !== undefined;
}

async function asAllowed(plan, words) {
  const line = plan.sudo ? ['sudo', '-n', 'env', ...QUIET, ...words] : ['env', ...QUIET, ...words];
  await run(line[0], line.slice(1));
}

/**
 * Debian enables and starts a Redis or Prometheus of its own where systemd runs. We only want the program, so the unit
 * is masked while the package is installed and left disabled.
 */
async function keepServiceDown(plan, name) {
  const unit = `${name}.service`;
  const nothing = async () => undefined;
  if (plan.manager.program !== 'apt-get' || !SERVICES.includes(plan.need)) return nothing;
  if (!existsSync('/run/systemd/system') || which('systemctl') === undefined) return nothing;
  await asAllowed(plan, ['systemctl', 'mask', '--runtime', unit]);
  return async () => {
    await asAllowed(plan, ['systemctl', 'unmask', '--runtime', unit]);
    if (which(name) !== undefined) await asAllowed(plan, ['systemctl', 'disable', unit]);
  };
}
