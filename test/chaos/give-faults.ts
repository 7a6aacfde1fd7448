import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '@backfill/core/generate/random';
import type { ManagedProcess } from '@backfill/infra/managed-process';
import type { Servers } from '@backfill/infra/servers';
import { Redis } from 'ioredis';
import { waitFor } from '../support/wait-for.ts';
import { describeFault, type Fault } from './schedule.ts';
import { troubleLie } from './store-trouble.ts';
import type { WorkerName } from './worker-names.ts';
import type { World } from './world.ts';

/** A fault follows the last one after this long at the latest, however slowly the work goes on. */
const LONGEST_WAIT_MS = 4_000;
/** And not sooner than this: the services must get to do something between two. */
const SHORTEST_WAIT_MS = 250;
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

async function give(fault: Fault, servers: Servers, world: World, random: Random): Promise<void> {
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
  const { faults, progress, isOver } = options;
  for (const [index, fault] of faults.entries()) {
    const earliest = Date.now() + SHORTEST_WAIT_MS;
    const latest = Date.now() + LONGEST_WAIT_MS;
    const share = (index + 0.5) / faults.length;
    while (!isOver() && (Date.now() < earliest || (progress() < share && Date.now() < latest))) await sleep(50);
    if (isOver()) return index;
    options.report(`${(progress() * 100).toFixed(0).padStart(3)} %  ${describeFault(fault)}`);
    await give(fault, options.servers, options.world, options.random);
  }
  return faults.length;
}
