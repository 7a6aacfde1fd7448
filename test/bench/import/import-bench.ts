import type { Bench, BenchOptions, BenchTable } from '../bench.ts';
import { type BenchStack, startBenchStack } from '../memory/bench-stack.ts';
import { putBigObject } from '../memory/big-object.ts';
import { BATCH, type Timing } from './bench-batch.ts';
import { type StageTime, stageRows } from './stage-watch.ts';
import { timeImport } from './time-import.ts';
import { type Limits, timeLimits } from './time-limits.ts';
import { timeUndo } from './time-undo.ts';
import { timeWhole } from './time-whole.ts';

/** What can be measured; each on a stack of its own, and the limits on the first one's, in the end. */
export const IMPORT_RUNS = ['one', 'two', 'four', 'apart', 'whole', 'whole-two', 'undo'];

type Rows = BenchTable['rows'];

/** What a run has measured, before the limits are known. */
interface Measured {
  rows: (limits: Limits) => Rows;
  stages?: BenchTable;
}

const micros = ({ ms, events }: Timing) => (ms * 1000) / events;

function row(what: string, timing: Timing, limit: Timing, more: Record<string, string | number> = {}): Rows[number] {
  return {
    what,
    events: timing.events,
    'µs/event': Number(micros(timing).toFixed(2)),
    'of the limit': Number((micros(limit) / micros(timing)).toFixed(2)),
    'processor µs/event': Number(((timing.cpuSeconds * 1e6) / timing.events).toFixed(2)),
    ...more,
  };
}

async function measureImport(stack: BenchStack, importers: number, what: string): Promise<Measured> {
  const imported = await timeImport(stack, importers);
  // Where this nears the number of cores, more importers cannot be faster.
  const cores = Number((imported.cpuSeconds / (imported.ms / 1000)).toFixed(2));
  const more = { 'cores busy': cores, 'peak MiB': imported.peak };
  return { rows: ({ one, two }) => [row(what, imported, importers === 1 ? one : two, more)] };
}

/** A stage's share of the clock's time before the publish. */
function shareOf(stage: string, stages: readonly StageTime[]): string {
  const before = stages.filter((time) => time.stage !== 'publishing' && time.stage !== 'awaiting_publish_approval');
  const sum = (times: readonly StageTime[]) => times.reduce((total, { seconds }) => total + seconds, 0);
  return `${Math.round((100 * sum(before.filter((time) => time.stage === stage))) / sum(before))} %`;
}

async function measureWhole(stack: BenchStack, importers: number): Promise<Measured> {
  const { whole, publish, bareInsert, stages, peaks } = await timeWhole(stack, importers);
  const helpers = `${importers} importer${importers === 1 ? '' : 's'}`;
  return {
    rows: ({ one, rowByRow }) => [
      row(`raw gzip to the signatures, ${helpers}`, whole, one, {
        'times row by row': Number((micros(rowByRow) / micros(whole)).toFixed(1)),
        'peak MiB': peaks,
      }),
      row('publish', publish, one, {
        'times the bare insert': Number((micros(publish) / micros(bareInsert)).toFixed(2)),
      }),
      row('INSERT … SELECT of the published rows', bareInsert, one),
    ],
    stages: {
      title:
        `The whole way by stage (${helpers}), µs per event: the clock, and the processor time of each process; ` +
        `verifying is ${shareOf('verifying', stages)} of the way to the signatures by the clock`,
      rows: stageRows(stages, whole.events),
    },
  };
}

async function measureUndo(stack: BenchStack): Promise<Measured> {
  const { publish, rollback, imports, peaks } = await timeUndo(stack);
  const [first, again] = imports;
  const times = (timing: Timing, other: Timing) => Number((micros(timing) / micros(other)).toFixed(2));
  return {
    rows: ({ one }) => [
      row('the publish that is undone', publish, one),
      row('rollback by tombstones', rollback, one, {
        'times the publish': times(rollback, publish),
        'peak MiB': peaks,
      }),
      row('importing of the whole way, first', first, one),
      row('importing after the rollback', again, one, { 'times the first': times(again, first) }),
    ],
  };
}

const RUNS: Readonly<Record<string, { what: string; apart?: boolean; measure(stack: BenchStack): Promise<Measured> }>> =
  {
    one: { what: 'one importer', measure: (stack) => measureImport(stack, 1, 'import, 1 importer') },
    two: { what: 'two importers', measure: (stack) => measureImport(stack, 2, 'import, 2 importers') },
    four: { what: 'four importers', measure: (stack) => measureImport(stack, 4, 'import, 4 importers') },
    apart: {
      what: 'one importer, two databases',
      apart: true,
      measure: (stack) => measureImport(stack, 1, 'import, 1 importer, 2 databases'),
    },
    whole: { what: 'the whole way', measure: (stack) => measureWhole(stack, 1) },
    'whole-two': { what: 'the whole way, two importers', measure: (stack) => measureWhole(stack, 2) },
    undo: { what: 'publish, rollback, and the import again', measure: measureUndo },
  };

async function withStack<T>(
  bytes: number,
  say: BenchOptions['say'],
  work: (stack: BenchStack) => Promise<T>,
  separateCheckpoint = false,
): Promise<T> {
  const stack = await startBenchStack(say, separateCheckpoint);
  try {
    await putBigObject(stack.runtime, `${BATCH.batchId}/events`, { bytes, compression: 'gzip' });
    return await work(stack);
  } finally {
    await stack.stop();
  }
}

async function measure(bytes: number, names: readonly string[], say: BenchOptions['say']): Promise<BenchTable[]> {
  const measured: Measured[] = [];
  let limits: Limits | undefined;
  for (const name of names) {
    const run = RUNS[name];
    if (run === undefined) continue;
    say(run.what);
    await withStack(
      bytes,
      say,
      async (stack) => {
        measured.push(await run.measure(stack));
        if (limits !== undefined) return;
        say('the limit, and row by row');
        limits = await timeLimits(stack);
      },
      run.apart,
    );
  }
  if (limits === undefined) return [];
  const { one, two, rowByRow } = limits;
  const known = limits;
  const table = {
    title: 'Import: our stage, against COPY of finished rows (the limit) and a script that goes row by row',
    rows: [
      row('limit, 1 connection', one, one),
      row('limit, 2 connections', two, two),
      row('row by row', rowByRow, one),
      ...measured.flatMap(({ rows }) => rows(known)),
    ],
  };
  return [table, ...measured.flatMap(({ stages }) => stages ?? [])];
}

/** How fast parts are imported, against what the database can take at most and what a script would take. */
export const importBench: Bench = {
  summary: 'import, the whole way and publish, against COPY and against a script that goes row by row',
  async run({ sizes, only = IMPORT_RUNS, say }) {
    const tables: BenchTable[] = [];
    for (const bytes of sizes) tables.push(...(await measure(bytes, only, say)));
    return tables;
  },
};
