import { readEnvironment } from '@backfill/core/config/environment';
import { createRuntime } from '@backfill/core/runtime/runtime';
import { type Servers, startTemporaryServers } from '@backfill/infra/servers';
import { putBigObject } from '../bench/memory/big-object.ts';
import { findHalves } from './half-written.ts';
import { type Halt, haltInMiddle } from './halt-in-middle.ts';
import { type HaltWorld, startHaltWorld } from './halt-world.ts';
import { BATCH, FILE_NAME, type HaltedBatch, operateBatch } from './halted-batch.ts';
import { differences, readOutcome } from './outcome.ts';
import { findRepeats, readProgress } from './progress.ts';
import { STAGES, type Stage, WAYS, type Way } from './stages.ts';
import { createTurnstiles } from './turnstile.ts';

export interface HaltsOptions {
  /** Text of the one object, before it is compressed. */
  bytes: number;
  /** How much of each event the recipe drops: with more, there are fewer events in as much text. */
  traceCharacters: number;
  /** Whether the work is kept in the middle of its stage until the batch is halted; for small objects. */
  holds: boolean;
  /** Settings of the services. */
  env: Readonly<Record<string, string>>;
  /** How long a halted batch is watched, ms. */
  watchMs: number;
  /** How long a batch may take to the middle of a stage, or to its end, ms. */
  timeoutMs: number;
  report(line: string): void;
}

export interface HaltsResult {
  halts: Halt[];
  /** Everything that went wrong, with the halt that it came after. */
  problems: string[];
  /** What operators are told who want to halt the batch when it is published. */
  refusals: Record<Way, string>;
}

const ORDERS = STAGES.flatMap((stage) => WAYS.map((way) => ({ stage, way })));

/** Writes the object and tells its size. */
async function putObject(
  servers: Servers,
  env: Record<string, string>,
  { bytes, traceCharacters }: HaltsOptions,
): Promise<number> {
  const runtime = createRuntime(readEnvironment('api', { ...servers.env, ...env, LOG_LEVEL: 'silent' }));
  try {
    await putBigObject(runtime, `${BATCH}/${FILE_NAME}`, { bytes, compression: 'gzip', traceCharacters });
    for await (const { size } of runtime.store.list(runtime.config.storage.rawBucket, `${BATCH}/`)) return size;
    throw new Error('the object is not there');
  } finally {
    await runtime.close();
  }
}

async function publishUndisturbed(batch: HaltedBatch): Promise<void> {
  await batch.submit();
  await batch.reach('awaiting_publish_approval');
  await batch.publish();
  await batch.reach('published');
}

/** What sets the batch going towards a stage, from where the halt before has left it. */
async function goTo(batch: HaltedBatch, stage: Stage, way: Way): Promise<() => Promise<unknown>> {
  if (way !== WAYS[0]) return batch.resume;
  if (stage === STAGES[0]) return batch.submit;
  if (stage !== 'publishing') return batch.resume;
  // Nobody has asked for the publish yet.
  await batch.resume();
  await batch.reach('awaiting_publish_approval');
  return batch.publish;
}

async function refusalOf(batch: HaltedBatch, way: Way): Promise<string> {
  return batch.halt(way).then(
    () => 'none',
    (error: Error & { stderr?: string }) => error.stderr ?? error.message,
  );
}

async function haltEverywhere(world: HaltWorld, objectBytes: number, options: HaltsOptions): Promise<HaltsResult> {
  const { holds, watchMs, report } = options;
  const batch = operateBatch(world, options.timeoutMs);
  const turnstile = createTurnstiles(world.s3);
  const context = { world, batchId: BATCH, fileName: FILE_NAME, objectBytes, turnstile, holds };
  const halts: Halt[] = [];
  const problems: string[] = [];
  let before = await readProgress(world);
  const compare = async (where: string) => {
    const now = await readProgress(world);
    problems.push(...findRepeats(before, now, world).map((repeat) => `${where}: ${repeat}`));
    before = now;
  };
  for (const { stage, way } of ORDERS) {
    const halt = await haltInMiddle(context, batch, { stage, way, watchMs, go: await goTo(batch, stage, way) });
    halts.push(halt);
    problems.push(...halt.problems.map((problem) => `${stage}, ${way}: ${problem}`));
    await compare(`${stage}, ${way}`);
    report(
      `${stage}, ${way}: ${halt.middle}; still after ${halt.stillMs} ms, last commit after ${halt.lastCommitMs} ms`,
    );
  }
  await batch.resume();
  await batch.reach('published');
  await compare('published');
  problems.push(...(await findHalves(world)).map((half) => `published: ${half}`));
  return { halts, problems, refusals: { api: await refusalOf(batch, 'api'), psql: await refusalOf(batch, 'psql') } };
}

/**
 * Runs a batch over one big object to its end, undisturbed, and another one that is halted in the middle of every stage,
 * by the API and by hand, and resumed each time.
 */
export async function runHalts(options: HaltsOptions): Promise<HaltsResult> {
  const { report } = options;
  const startedAt = Date.now();
  const say = (line: string) => report(`${((Date.now() - startedAt) / 1_000).toFixed(1).padStart(7)} s  ${line}`);
  // It tells when a row's transaction committed.
  const servers = await startTemporaryServers({ report, postgresSettings: { track_commit_timestamp: 'on' } });
  try {
    const smooth = await startHaltWorld(servers, 'smooth', options.env, say);
    const objectBytes = await putObject(servers, smooth.env, options);
    say(`wrote an object of ${objectBytes} bytes, ${options.bytes} of text`);
    const undisturbed = await publishUndisturbed(operateBatch(smooth, options.timeoutMs))
      .then(() => readOutcome(smooth))
      .finally(() => smooth.stop());
    say(`undisturbed run over: ${undisturbed.balance}`);
    const bumpy = await startHaltWorld(servers, 'bumpy', options.env, say);
    try {
      const result = await haltEverywhere(bumpy, objectBytes, { ...options, report: say });
      result.problems.push(...differences(undisturbed, await readOutcome(bumpy)));
      say('halted run over');
      return result;
    } finally {
      await bumpy.stop();
    }
  } finally {
    await servers.stop();
  }
}
