import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '@backfill/core/generate/random';
import type { ManagedProcess } from '@backfill/infra/managed-process';
import type { Servers } from '@backfill/infra/servers';
import { Redis } from 'ioredis';
import { waitFor } from '../support/wait-for.ts';
import { createJobDoubler } from './double-jobs.ts';
import { describeFault, type Fault } from './schedule.ts';
import { troubleLie } from './store-trouble.ts';
import type { WorkerName } from './worker-names.ts';
import type { World } from './world.ts';

/**
 * A fault follows the last one when its share of the work is done, or once all processes have been up for so long: the
 * work must get on between two, however slow the machine is.
 */
const LONGEST_WAIT_MS = 2_000;
/** And not sooner than this. */
const SHORTEST_WAIT_MS = 250;
/** A process that does not come up in this time is left to the findings. */
const UP_TIMEOUT_MS = 120_000;
const LOOK_EVERY_MS = 100;
const RESTART_TIMEOUT_MS = 90_000;

async function restart(server: ManagedProcess, signal: NodeJS.Signals): Promise<void> {
  const before = server.pid();
  if (before === undefined) return;
  process.kill(before, signal);
  await waitFor(
    `${server.name} to be replaced`,
    async () => {
      const now = server.pid();
      return now !== undefined && now !== before ? now : undefined;
    },
    RESTART_TIMEOUT_MS,
  );
}

async function flush(servers: Servers): Promise<void> {
  const redis = new Redis(servers.env.REDIS_URL ?? '', { maxRetriesPerRequest: null });
  // A server that is just down is tried again until it is back.
  redis.on('error', () => undefined);
  await redis.flushall();
  redis.disconnect();
}

interface Tools {
  servers: Servers;
  world: World;
  random: Random;
  doubleJobs(): Promise<void>;
}

async function give(fault: Fault, { servers, world, random, doubleJobs }: Tools): Promise<void> {
  const one = (worker: WorkerName) => random.pick(world.workers[worker]);
  switch (fault.kind) {
    case 'kill':
      return one(fault.worker).kill();
    case 'freeze':
      return one(fault.worker).freeze(fault.forMs);
    case 'flush redis':
      return flush(servers);
    case 'restart redis':
      return restart(servers.redis, 'SIGKILL');
    case 'restart postgres':
      return restart(servers.postgres, fault.signal);
    case 'restart s3':
      return restart(servers.s3, 'SIGKILL');
    case 'double jobs':
      return doubleJobs();
    case 'store': {
      const lie = troubleLie(fault.trouble);
      world.s3.lie = lie;
      setTimeout(() => {
        if (world.s3.lie === lie) world.s3.lie = () => undefined;
      }, fault.forMs);
      return;
    }
  }
}

/** Waits until every process is up that is not frozen, as long as `isWaiting`. */
async function whenUp(world: World, isWaiting: () => boolean): Promise<void> {
  const workers = Object.values(world.workers).flat();
  const deadline = Date.now() + UP_TIMEOUT_MS;
  while (isWaiting() && Date.now() < deadline) {
    const settled = await Promise.all(workers.map((worker) => worker.isSettled()));
    if (settled.every(Boolean)) return;
    await sleep(LOOK_EVERY_MS);
  }
}

/**
 * Gives the faults one by one, each when its share of the work is done.
 *
 * @param isOver true when there is nothing left to disturb
 * @returns how many were given
 */
export async function giveFaults(options: {
  faults: readonly Fault[];
  servers: Servers;
  world: World;
  random: Random;
  progress(): number;
  isOver(): boolean;
  report(line: string): void;
}): Promise<number> {
  const { faults, progress, isOver, servers, world, random } = options;
  const tools = { servers, world, random, doubleJobs: createJobDoubler(servers, world) };
  for (const [index, fault] of faults.entries()) {
    const isWaiting = () => !isOver() && progress() < (index + 0.5) / faults.length;
    await sleep(SHORTEST_WAIT_MS);
    await whenUp(options.world, isWaiting);
    const latest = Date.now() + LONGEST_WAIT_MS;
    while (isWaiting() && Date.now() < latest) await sleep(LOOK_EVERY_MS);
    if (isOver()) return index;
    options.report(`${(progress() * 100).toFixed(0).padStart(3)} %  ${describeFault(fault)}`);
    await give(fault, tools);
  }
  return faults.length;
}
