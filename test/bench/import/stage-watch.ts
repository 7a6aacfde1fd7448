import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from '@backfill/core/db/pool';
import { getBatch } from '@backfill/core/db/queries/batch-get';
import type { BatchStatus } from '@backfill/core/domain/batch-status';
import type { ManagedProcess } from '@backfill/infra/managed-process';
import { cpuSeconds } from './cpu-time.ts';

/** What a stage took: by the clock, and of each process's processor time. */
export interface StageTime {
  stage: BatchStatus;
  seconds: number;
  cpuSeconds: Readonly<Record<string, number>>;
}

const LOOK_EVERY_MS = 20;
const STOPPED: readonly BatchStatus[] = ['failed', 'halted', 'gates_failed'];

interface Moment {
  status: BatchStatus;
  ms: number;
  cpu: Record<string, number>;
}

function minus(after: Moment['cpu'], before: Moment['cpu']): Record<string, number> {
  return Object.fromEntries(Object.entries(after).map(([name, seconds]) => [name, seconds - (before[name] ?? 0)]));
}

/**
 * Follows a batch from status to status.
 *
 * @param processes by the names that their times are told under; processes of the same name are added up
 * @returns one entry per status that the batch went through before the last
 * @throws when the batch is stopped.
 */
export async function watchStages(
  pool: Pool,
  batchId: string,
  last: BatchStatus,
  processes: readonly (readonly [name: string, process: ManagedProcess])[],
): Promise<StageTime[]> {
  const look = (status: BatchStatus): Moment => {
    const cpu: Moment['cpu'] = {};
    for (const [name, process] of processes) cpu[name] = (cpu[name] ?? 0) + cpuSeconds(process.pid() ?? 0);
    return { status, ms: performance.now(), cpu };
  };
  const stages: StageTime[] = [];
  let since: Moment | undefined;
  for (;;) {
    const batch = await getBatch(pool, batchId);
    const status = batch?.status;
    if (status !== undefined && status !== since?.status) {
      if (STOPPED.includes(status)) throw new Error(batch?.status_reason ?? status);
      const now = look(status);
      if (since !== undefined) {
        const { status: stage, ms, cpu } = since;
        stages.push({ stage, seconds: (now.ms - ms) / 1000, cpuSeconds: minus(now.cpu, cpu) });
      }
      since = now;
      if (status === last) return stages;
    }
    await sleep(LOOK_EVERY_MS);
  }
}

/** Processor time of all processes in all stages. */
export function totalCpuSeconds(stages: readonly StageTime[]): number {
  const all = stages.flatMap(({ cpuSeconds }) => Object.values(cpuSeconds));
  return all.reduce((sum, seconds) => sum + seconds, 0);
}

/** One row per stage and their sum, in µs per event: the clock's, and each process's. */
export function stageRows(stages: readonly StageTime[], events: number): Record<string, string | number>[] {
  const names = Object.keys(stages[0]?.cpuSeconds ?? {});
  const micros = (seconds: number) => Number(((seconds * 1e6) / events).toFixed(2));
  const toRow = (stage: string, chosen: readonly StageTime[]) => {
    const sum = (read: (time: StageTime) => number) => micros(chosen.reduce((total, time) => total + read(time), 0));
    return {
      stage,
      clock: sum(({ seconds }) => seconds),
      ...Object.fromEntries(names.map((name) => [name, sum((time) => time.cpuSeconds[name] ?? 0)])),
    };
  };
  return [...stages.map((time) => toRow(time.stage, [time])), toRow('all', stages)];
}
