import type { QueueContract, QueueName } from './define-queue.ts';
import { maintenance } from './maintenance.ts';
import { rawChunks } from './raw-chunks.ts';
import { rollback } from './rollback.ts';
import { transformedEvents } from './transformed-events.ts';
import { verification } from './verification.ts';

/** Every queue there is. */
export const CONTRACTS: Readonly<Record<QueueName, QueueContract>> = {
  'raw-chunks': rawChunks,
  'transformed-events': transformedEvents,
  verification,
  rollback,
  maintenance,
};
