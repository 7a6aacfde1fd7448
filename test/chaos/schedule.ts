import { createRandom, type Random } from '@backfill/core/generate/random';
import { WORKER_NAMES, type WorkerName } from './worker-names.ts';

/** What the object store does for a while instead of answering. */
export const STORE_TROUBLES = ['error 500', 'error 503', 'slow', 'cut short', 'ends early'] as const;
export type StoreTrouble = (typeof STORE_TROUBLES)[number];

/** How a server goes down: PostgreSQL's own ways to be stopped, and none. */
const STOPS = ['SIGKILL', 'SIGQUIT', 'SIGINT'] as const;

export type Fault =
  | { kind: 'kill'; worker: WorkerName }
  /** Stopped for a while, and then goes on as if nothing had happened. */
  | { kind: 'freeze'; worker: WorkerName; forMs: number }
  | { kind: 'flush redis' }
  | { kind: 'restart redis' }
  | { kind: 'restart postgres'; signal: (typeof STOPS)[number] }
  | { kind: 'restart s3' }
  /** Jobs are sent once more while they wait or run, and some that were done long ago. */
  | { kind: 'double jobs' }
  | { kind: 'store'; trouble: StoreTrouble; forMs: number };

export interface Schedule {
  /** Given one after the other, spread over the run. */
  faults: Fault[];
  /** Points at each of which the first process dies that comes to it. */
  crashes: string[];
}

/** Of a hundred faults that are not crashes at a named point, how many are of which kind. */
const SHARES: readonly [share: number, make: (random: Random, lockMs: number) => Fault][] = [
  [40, (random) => ({ kind: 'kill', worker: random.pick(WORKER_NAMES) })],
  // Short ones are a hiccup; in long ones a job is lost to a twin and its worker comes back as a zombie.
  [
    18,
    (random, lockMs) => ({
      kind: 'freeze',
      worker: random.pick(WORKER_NAMES),
      forMs: 500 + random.int(lockMs * 2),
    }),
  ],
  [7, () => ({ kind: 'flush redis' })],
  [4, () => ({ kind: 'restart redis' })],
  [5, (random) => ({ kind: 'restart postgres', signal: random.pick(STOPS) })],
  [4, () => ({ kind: 'restart s3' })],
  [5, () => ({ kind: 'double jobs' })],
  [17, (random) => ({ kind: 'store', trouble: random.pick(STORE_TROUBLES), forMs: 500 + random.int(3_000) })],
];

function shuffle<Item>(items: readonly Item[], random: Random): Item[] {
  const rest = [...items];
  return items.map(() => rest.splice(random.int(rest.length), 1)[0] as Item);
}

/** Kinds in their shares, and each at least once when there is room for all. */
function chooseFaults(count: number, random: Random, lockMs: number): Fault[] {
  const makers = SHARES.flatMap(([share, make]) => Array.from({ length: share }, () => make));
  const each = SHARES.map(([, make]) => make).slice(0, count);
  const others = Array.from({ length: count - each.length }, () => random.pick(makers));
  return shuffle([...each, ...others], random).map((make) => make(random, lockMs));
}

/**
 * What is done to the pipeline, the same for the same seed. When each fault falls depends on how far the work is, and
 * how the processes interleave on the machine.
 *
 * @param faults how many in all
 * @param crashes how many of them, at most, are crashes at named points; half of them when absent
 * @param lockMs after which a silent worker loses its job
 */
export function makeSchedule(options: {
  seed: string;
  faults: number;
  crashes?: number | undefined;
  points: readonly string[];
  lockMs: number;
}): Schedule {
  const random = createRandom(`chaos ${options.seed}`);
  const crashes = shuffle(options.points, random).slice(0, options.crashes ?? Math.floor(options.faults / 2));
  return { crashes, faults: chooseFaults(options.faults - crashes.length, random, options.lockMs) };
}

/** One line for a person. */
export function describeFault(fault: Fault): string {
  const { kind, ...rest } = fault;
  const details = Object.entries(rest).map(([key, value]) => (key === 'forMs' ? `for ${value} ms` : String(value)));
  return [kind, ...details].join(' ');
}
