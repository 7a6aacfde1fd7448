import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '../support/wait-for.ts';
import { findHalves } from './half-written.ts';
import type { HaltedBatch } from './halted-batch.ts';
import { enterStage, type Stage, type StageContext, type Way } from './stages.ts';
import { changesBetween, lastCommitMs, listWork, takeFootprint } from './stillness.ts';

/** From so long after a halt on, nothing of the batch may happen any more, ms. */
const STILL_AFTER_MS = 5_000;
const GIVE_UP_MS = 30_000;

/** How a batch was halted in the middle of a stage, and what came of it. */
export interface Halt {
  stage: Stage;
  way: Way;
  /** What was under way. */
  middle: string;
  /** From the halt until nothing worked for the batch any more, ms. */
  stillMs: number;
  /** From the halt until the last transaction of which anything is left committed, ms; 0 when there was none. */
  lastCommitMs: number;
  problems: string[];
}

export interface HaltOrder {
  stage: Stage;
  way: Way;
  /** Sets the batch going towards the stage. */
  go(): Promise<unknown>;
  /** How long it is watched that nothing happens, ms. */
  watchMs: number;
}

/** Halts the batch in the middle of a stage, and watches that nothing happens for it from then on. */
export async function haltInMiddle(
  context: StageContext,
  batch: HaltedBatch,
  { stage, way, go, watchMs }: HaltOrder,
): Promise<Halt> {
  const { world } = context;
  const inside = await enterStage(stage, way, context);
  try {
    await go();
    const middle = await batch.whileAtWork(`the middle of ${stage}`, () => inside.look());
    const record = await batch.halt(way);
    const by = way === 'api' ? 'demo-operator' : 'sql:postgres';
    const problems: string[] = [];
    if (record.from !== stage) problems.push(`the halt came in ${record.from}`);
    if (record.actor !== by) problems.push(`the halt is said to be by ${record.actor} instead of ${by}`);
    let work: string[] = [];
    const stillMs = await waitFor(
      'the work to stop',
      async () => {
        work = await listWork(world, record.at);
        return work.length === 0 ? Date.now() - record.at.getTime() : undefined;
      },
      GIVE_UP_MS,
    ).catch((error: unknown) => {
      throw new Error(`${stage}, ${way}: still at work: ${work.join('; ')}`, { cause: error });
    });
    await inside.leave();
    // A small batch that has come to rest is watched from then on; a large one from when it has to be at rest.
    if (!context.holds) await sleep(Math.max(0, STILL_AFTER_MS - (Date.now() - record.at.getTime())));
    const before = await takeFootprint(world);
    await sleep(watchMs);
    problems.push(...changesBetween(before, await takeFootprint(world)));
    problems.push(...(await findHalves(world)));
    const last = await lastCommitMs(world);
    if (last > STILL_AFTER_MS) problems.push(`something committed ${last} ms after the halt`);
    if (!context.holds && stillMs > STILL_AFTER_MS) problems.push(`there was work for ${stillMs} ms after the halt`);
    return { stage, way, middle, stillMs, lastCommitMs: last, problems };
  } finally {
    await inside.leave();
  }
}
