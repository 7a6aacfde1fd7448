import { Gauge, Registry } from 'prom-client';
import type { QueueName } from '../contracts/define-queue.ts';
import type { Producer } from '../queue/producer.ts';

/**
 * Jobs of every queue by state, under the name and labels that BullMQ itself gives them.
 *
 * @returns Prometheus' text format
 */
export async function renderQueueMetrics(
  producers: Readonly<Record<QueueName, Pick<Producer, 'countByState'>>>,
): Promise<string> {
  const registry = new Registry();
  const jobs = new Gauge({
    name: 'bullmq_job_count',
    help: 'Number of jobs in the queue by state',
    labelNames: ['queue', 'state'],
    registers: [registry],
  });
  for (const [queue, producer] of Object.entries(producers)) {
    for (const [state, count] of Object.entries(await producer.countByState())) jobs.set({ queue, state }, count);
  }
  return registry.metrics();
}
