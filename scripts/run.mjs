#!/usr/bin/env node
// The one way in: sets up what is missing, then runs a part of the project with the pinned Node.
// Plain JavaScript without dependencies, because it starts before anything is installed.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { setUpChromium } from './setup/chromium.mjs';
import { pinnedNode, setUpDependencies } from './setup/dependencies.mjs';
import { requireDocker } from './setup/docker.mjs';
import { withLock } from './setup/lock.mjs';
import { setUpPrometheus } from './setup/prometheus.mjs';
import { setUpPsql } from './setup/psql.mjs';
import { setUpRedis } from './setup/redis.mjs';
import { SetupError } from './setup/shell.mjs';

const OLDEST_NODE = 20;
const PARENT_CHECK_MS = 1_000;
const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const bin = (name) => path.join(root, 'node_modules', '.bin', name);
// In a file or a pipe Biome colours every character where it takes the machine for a CI server.
const plain = process.stdout.isTTY ? [] : ['--colors=off'];
const script = (file) => [pinnedNode(root), path.join(root, file)];

/** What each command needs, and the steps it runs; `here` keeps the caller's working directory. */
const COMMANDS = {
  demo: { needs: ['redis'], steps: [script('infra/src/demo.ts')], here: true },
  start: { needs: ['redis'], steps: [script('infra/src/start.ts')], here: true },
  test: { needs: ['redis', 'psql'], steps: [[bin('vitest'), 'run']] },
  'test:ui': { needs: ['redis', 'chromium'], steps: [[bin('vitest'), 'run', '--config', 'test/ui/vitest.config.ts']] },
  'test:prometheus': {
    needs: ['redis', 'prometheus'],
    steps: [[bin('vitest'), 'run', '--config', 'test/prometheus/vitest.config.ts']],
  },
  dashboards: { needs: [], steps: [script('infra/src/write-dashboards.ts')] },
  'test:containers': {
    needs: ['redis', 'psql', 'docker'],
    steps: [[bin('vitest'), 'run', '--config', 'test/containers/vitest.config.ts']],
  },
  bench: { needs: ['redis'], steps: [script('test/bench/main.ts')] },
  'test:halt': { needs: ['redis', 'psql'], steps: [script('test/halts/main.ts')] },
  'test:chaos': { needs: ['redis'], steps: [script('test/chaos/main.ts')] },
  check: { needs: [], steps: [[bin('tsc'), '-p', '.'], [bin('biome'), 'ci', ...plain], [bin('knip')]] },
  cli: { needs: [], steps: [script('packages/cli/src/main.ts')], here: true },
  setup: { needs: [], steps: [] },
};

async function main([name, ...args]) {
  const command = COMMANDS[name];
  if (command === undefined) {
    process.stderr.write(`usage: run.mjs ${Object.keys(COMMANDS).join('|')} [args…]\n`);
    return 2;
  }
  if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
    throw new SetupError(`Node ${OLDEST_NODE} or newer is needed, this is ${process.versions.node}`);
  }
  if (process.platform === 'win32') throw new SetupError('Linux or macOS is needed (WSL will do)');
  const env = await setUp(command.needs);
  const failed = [];
  for (const step of command.steps) {
    const code = await runStep([...step, ...args], { env, cwd: command.here ? undefined : root });
    // A single step is the program itself and its exit code is ours; several are all run.
    if (command.steps.length === 1) return code;
    if (code !== 0) failed.push([path.basename(step[0]), ...step.slice(1)].join(' '));
  }
  if (failed.length > 0) process.stderr.write(`\nFailed: ${failed.join(', ')}\n`);
  return failed.length === 0 ? 0 : 1;
}

/** Brings in what the command needs and returns the environment to run it with. */
async function setUp(needs) {
  const alone = (work) => withLock(path.join(root, 'node_modules', '.backfill-setup.lock'), work);
  await setUpDependencies(root, alone);
  const folders = [path.join(root, 'node_modules', '.bin')];
  const env = { ...process.env };
  if (needs.includes('redis')) env.BACKFILL_REDIS_SERVER = await setUpRedis(alone);
  if (needs.includes('chromium')) env.BACKFILL_CHROMIUM = await setUpChromium(alone);
  if (needs.includes('prometheus')) await setUpPrometheus(alone);
  if (needs.includes('docker')) requireDocker();
  if (needs.includes('psql')) folders.push((await setUpPsql(alone)) ?? []);
  env.PATH = [...folders.flat(), process.env.PATH].join(path.delimiter);
  return env;
}

/** Runs one program in the foreground, hands signals on to it, and returns its exit code. */
async function runStep([program, ...args], options) {
  const child = spawn(program, args, { stdio: 'inherit', ...options });
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  const forward = (signal) => child.kill(signal);
  for (const signal of signals) process.on(signal, forward);
  const orphaned = whenOrphaned(() => child.kill('SIGTERM'));
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal]));
    });
  } finally {
    clearInterval(orphaned);
    for (const signal of signals) process.off(signal, forward);
  }
}

/** Under npm: calls `stop` when npm was killed, which cannot hand that on as a signal. */
function whenOrphaned(stop) {
  if (!process.env.npm_lifecycle_event) return undefined;
  const parent = process.ppid;
  return setInterval(() => process.ppid !== parent && stop(), PARENT_CHECK_MS);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(error instanceof SetupError ? `[setup] ${error.message}\n` : `${error.stack}\n`);
  process.exitCode = 1;
}
