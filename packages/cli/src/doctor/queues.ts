import { CONTRACTS } from '@backfill/core/contracts/contracts';
import type { QueueContract } from '@backfill/core/contracts/define-queue';
import type { Pool } from '@backfill/core/db/pool';
import { listBatchStatuses } from '@backfill/core/db/queries/batch-status-list';
import { RESTING_STATUSES } from '@backfill/core/domain/batch-status';
import type { Finding } from '@backfill/core/domain/finding';
import { createProducer, type FailedJob } from '@backfill/core/queue/producer';
import { formatQuantity } from '@backfill/core/text/format-number';
import type { Check, DoctorTools } from './check.ts';

const LOOK_BACK_MS = 3_600_000;
const MOST_FAILED = 100;

function batchOf({ payload }: FailedJob): string {
  const { batch_id: batchId } = payload as { batch_id?: unknown };
  return typeof batchId === 'string' ? batchId : '';
}

/** Those that nobody has drawn a conclusion from: a job of a batch that has stopped over it is no news. */
async function countUnsettled(pool: Pool, failed: readonly FailedJob[]): Promise<number> {
  const statuses = await listBatchStatuses(pool, failed.map(batchOf));
  return failed.filter((job) => {
    const status = statuses.get(batchOf(job));
    return status === undefined || !RESTING_STATUSES.includes(status);
  }).length;
}

async function findInQueue({ pool, redis, config }: DoctorTools, contract: QueueContract): Promise<Finding[]> {
  const { name, consumer } = contract;
  const subject = `queue ${name}`;
  const producer = createProducer(contract, redis, config.queuePrefix);
  try {
    const failed = await producer.listFailed(new Date(Date.now() - LOOK_BACK_MS), MOST_FAILED);
    const unsettled = await countUnsettled(pool, failed);
    const workers = await producer.countWorkers();
    return [
      ...(unsettled === 0
        ? []
        : [
            {
              subject,
              problem: `${formatQuantity(unsettled, 'job')} used up all attempts within the last hour`,
              remedy: `see in the log of the ${consumer} service why, and mend the cause: the work itself is sent again`,
            },
          ]),
      ...(workers > 0
        ? []
        : [
            {
              subject,
              problem: `no ${consumer} takes jobs from it`,
              remedy: `start the ${consumer} service (npm start), with the same REDIS_URL and BACKFILL_QUEUE_PREFIX`,
            },
          ]),
    ];
  } finally {
    await producer.close();
  }
}

/** Jobs that used up their attempts, and queues that nobody takes jobs from. */
export const queues: Check = {
  name: 'queues',
  needs: ['database', 'schema', 'redis'],
  async find(tools) {
    const findings: Finding[] = [];
    for (const contract of Object.values(CONTRACTS)) findings.push(...(await findInQueue(tools, contract)));
    return findings;
  },
};
