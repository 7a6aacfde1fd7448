import { setRollbackMode } from '@backfill/core/db/queries/batch-set-status';
import { withTransaction } from '@backfill/core/db/transaction';
import { changeStatus } from '@backfill/core/dispatch/change-status';
import { resumeBatch } from '@backfill/core/dispatch/resume-batch';
import type { BenchStack } from '../memory/bench-stack.ts';
import { BATCH, type Timing } from './bench-batch.ts';
import type { StageTime } from './stage-watch.ts';
import { startServices, timePublish, timeToSignatures } from './time-whole.ts';

/** A batch published, taken back by tombstones, and brought in again. */
export interface UndoTiming {
  publish: Timing;
  rollback: Timing;
  /** The import alone, the first time and after the rollback. */
  imports: readonly [first: Timing, again: Timing];
  /** The most memory of each service, for a person. */
  peaks: string;
}

function importOf({ events, stages }: Timing & { stages: readonly StageTime[] }): Timing {
  const chosen = stages.filter(({ stage }) => stage === 'importing');
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const cpu = chosen.flatMap(({ cpuSeconds }) => Object.values(cpuSeconds));
  return { events, ms: sum(chosen.map(({ seconds }) => seconds)) * 1000, cpuSeconds: sum(cpu) };
}

/** The way there, back, and there again. */
export async function timeUndo(stack: BenchStack): Promise<UndoTiming> {
  const { pool } = stack.runtime;
  const services = await startServices(stack, ['transformer', 'importer', 'verifier', 'rollback']);
  const first = await timeToSignatures(stack, services);
  const publish = await timePublish(stack, services);
  const rollback = await services.time(
    () =>
      withTransaction(pool, 'bench', async (client) => {
        await setRollbackMode(client, BATCH.batchId, 'tombstone', 'bench');
        await changeStatus(client, { batchId: BATCH.batchId, from: ['published'], to: 'rolling_back' });
      }),
    'rolled_back',
  );
  const again = await services.time(
    () => withTransaction(pool, 'bench', (client) => resumeBatch(client, BATCH.batchId)),
    'awaiting_publish_approval',
  );
  const peaks = services.peaks();
  await services.stop();
  return {
    publish,
    rollback: { ...rollback, events: publish.events },
    imports: [importOf(first), importOf(again)],
    peaks,
  };
}
