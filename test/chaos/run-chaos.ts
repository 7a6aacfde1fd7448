import { createRandom } from '@backfill/core/generate/random';
import { type Servers, startTemporaryServers } from '@backfill/infra/servers';
import type { KeyLayout } from '../support/environment.ts';
import { findCrashPoints } from './crash-points.ts';
import { findProblems, type Outcome, readOutcome } from './findings.ts';
import { giveFaults } from './give-faults.ts';
import { type ChaosBatch, cutBatches } from './input.ts';
import { travel, uploadInput } from './journey.ts';
import { type LiveEvent, noteLiveEvents, pickLiveEvents, writeLive } from './live-writer.ts';
import { makeSchedule, type Schedule } from './schedule.ts';
import { startWorld, type WorldOptions } from './world.ts';

export interface ChaosOptions {
  /** The same seed gives the same faults. */
  seed: string;
  faults: number;
  /** See {@link makeSchedule}. */
  crashes?: number;
  /** Lines of all batches together; nearly each becomes an event. */
  events: number;
  batches: number;
  chunkBytes: number;
  partLines: number;
  lockMs: number;
  /** Where the dedup store is while the pipeline is disturbed. */
  layout: KeyLayout;
  /** What has not arrived after so long is stuck, ms. */
  timeoutMs: number;
  /** See {@link WorldOptions}. */
  logsDir?: string | undefined;
  report(line: string): void;
}

export interface ChaosResult {
  /** Faults that were given, crashes at named points among them. */
  given: number;
  /** Named points at which nobody died although somebody should have. */
  crashesLeft: string[];
  /** Everything that went wrong. */
  problems: string[];
}

/** The servers, the input, and how it comes out when nobody disturbs it. */
export interface ChaosSuite {
  /** Puts the pipeline through a schedule of faults; with another importer than the real one, if given. */
  disturb(
    run: Pick<WorldOptions, 'name' | 'layout' | 'importerMain' | 'isSmall'> & { schedule: Schedule },
  ): Promise<ChaosResult>;
  schedule: Schedule;
  stop(): Promise<void>;
}

async function runUndisturbed(
  servers: Servers,
  options: ChaosOptions,
  world: Omit<WorldOptions, 'name' | 'layout'>,
  batches: ChaosBatch[],
): Promise<{ outcome: Outcome; liveEvents: LiveEvent[] }> {
  const smooth = await startWorld({ ...world, name: 'smooth', layout: 'with the events', isSmall: true });
  try {
    await uploadInput(servers.env.S3_ENDPOINT ?? '', smooth, batches);
    // Those that are to be taken back and run again end in the rows of their first attempt.
    const straight = batches.map((batch) => ({ ...batch, isUndone: false }));
    const stuck = await travel(smooth, straight, options.timeoutMs).ended;
    if (stuck.length > 0) throw new Error(`undisturbed already: ${stuck.join('; ')}`);
    const liveEvents = await pickLiveEvents(smooth);
    const outcome = await readOutcome(smooth, batches);
    const problems = await findProblems(smooth, batches, outcome);
    if (problems.length > 0) throw new Error(`undisturbed already: ${problems.join('\n')}`);
    return { outcome, liveEvents };
  } finally {
    await smooth.stop();
  }
}

/** Starts servers, and runs the input once without a fault, to know what must come out. */
export async function prepareChaos(options: ChaosOptions): Promise<ChaosSuite> {
  const { seed, faults, lockMs, chunkBytes, partLines, logsDir, report } = options;
  const batches = cutBatches(options.events, options.batches);
  const schedule = makeSchedule({
    seed,
    faults,
    crashes: options.crashes,
    points: findCrashPoints(options.layout),
    lockMs,
  });
  const servers = await startTemporaryServers({ report });
  const worldOptions = { servers, lockMs, chunkBytes, partLines, logsDir };
  const startedAt = Date.now();
  const seconds = () => ((Date.now() - startedAt) / 1_000).toFixed(1);
  try {
    const { outcome: undisturbed, liveEvents } = await runUndisturbed(servers, options, worldOptions, batches);
    report(`undisturbed run over after ${seconds()} s`);
    return {
      schedule,
      stop: () => servers.stop(),
      async disturb({ name, schedule: { faults: planned, crashes }, ...how }) {
        const world = await startWorld({ ...worldOptions, ...how, name, crashes });
        try {
          await uploadInput(servers.env.S3_ENDPOINT ?? '', world, batches);
          await noteLiveEvents(world, liveEvents);
          const journey = travel(world, batches, options.timeoutMs);
          let isOver = false;
          const stuck = journey.ended.finally(() => {
            isOver = true;
          });
          const scene = { world, progress: journey.progress, isOver: () => isOver };
          const live = writeLive({ ...scene, events: liveEvents, random: createRandom(`live ${seed}`) });
          const given = await giveFaults({
            ...scene,
            faults: planned,
            servers,
            random: createRandom(`who ${seed}`),
            report: (line) => report(`${seconds().padStart(7)} s  ${line}`),
          });
          const stuckAt = await stuck;
          await live;
          const problems = [...stuckAt, ...(await findProblems(world, batches, undisturbed))];
          report(`${name} over after ${seconds()} s`);
          const crashesLeft = world.crashesLeft();
          return { given: given + crashes.length - crashesLeft.length, crashesLeft, problems };
        } finally {
          await world.stop();
        }
      },
    };
  } catch (error) {
    await servers.stop();
    throw error;
  }
}
