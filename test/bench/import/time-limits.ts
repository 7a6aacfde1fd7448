import type { BenchStack } from '../memory/bench-stack.ts';
import { BATCH, type Timing } from './bench-batch.ts';
import { createCopyDatabase } from './copy-database.ts';
import { cpuSeconds, ownCpuSeconds } from './cpu-time.ts';
import { copyFinishedRows } from './finished-rows.ts';
import { readParts } from './part-objects.ts';
import { importRowByRow } from './row-by-row.ts';

const ROWS_BY_ROW = 20_000;

/** What an import is measured against. */
export interface Limits {
  /** COPY of the finished rows, on one connection and on two. */
  one: Timing;
  two: Timing;
  rowByRow: Timing;
}

/** The limit and the baseline on the parts of the batch, beside its own tables on the same server. */
export async function timeLimits({ runtime, servers }: BenchStack): Promise<Limits> {
  const cpu = () => ownCpuSeconds() + cpuSeconds(servers.postgres.pid() ?? 0);
  const copyOn = async (connections: number) => {
    const copy = await createCopyDatabase(runtime, `limit_${connections}`, BATCH);
    const timing = await copyFinishedRows(copy.pool, copy.leaf, readParts(runtime, BATCH.batchId), connections, cpu);
    await copy.close();
    return timing;
  };
  const one = await copyOn(1);
  const two = await copyOn(2);
  const copy = await createCopyDatabase(runtime, 'row_by_row', BATCH);
  const parts = readParts(runtime, BATCH.batchId);
  // The first part is the canary, which is small.
  await parts.next();
  const { value: part } = await parts.next();
  if (part === undefined) throw new Error('there is only a canary: take more events');
  const rowByRow = await importRowByRow(copy.pool, part, ROWS_BY_ROW, cpu);
  await parts.return(undefined);
  await copy.close();
  return { one, two, rowByRow };
}
