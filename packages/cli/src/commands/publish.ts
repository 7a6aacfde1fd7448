import type { Command } from 'commander';
import { addBatchAction } from '../batch-action.ts';
import type { CliContext } from '../cli-context.ts';

/** `backfill publish BATCH` */
export function addPublish(program: Command, context: CliContext): void {
  addBatchAction(program, context, {
    name: 'publish',
    summary: 'publish a signed batch',
    description:
      'Makes the events of a batch visible in analytics.events, all in one transaction. The gates must have passed and all publish approvals be there.',
  });
}
