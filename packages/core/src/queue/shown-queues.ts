import { Queue } from 'bullmq';
import { CONTRACTS } from '../contracts/contracts.ts';
import { createProducerConnection } from './connection.ts';

/** All queues for a page that shows them, on a connection of their own; whoever has them must not write. */
export function openShownQueues(redisUrl: string, prefix: string): { queues: Queue[]; close(): Promise<void> } {
  const connection = createProducerConnection(redisUrl);
  // Told to whoever asks for a queue.
  connection.on('error', () => undefined);
  const queues = Object.values(CONTRACTS).map(({ name }) => {
    const queue = new Queue(name, { connection, prefix, skipMetasUpdate: true });
    queue.on('error', () => undefined);
    return queue;
  });
  return {
    queues,
    async close() {
      // BullMQ waits for a Redis that is away, also to close.
      connection.disconnect();
      await Promise.allSettled(queues.map((queue) => queue.close()));
    },
  };
}
