import type { Command } from 'commander';
import { addBatchAction } from '../batch-action.ts';
import type { CliContext } from '../cli-context.ts';

/** `backfill resume BATCH` */
export function addResume(program: Command, context: CliContext): void {
  addBatchAction(program, context, {
    name: 'resume',
    summary: 'go on with a halted, failed or rolled back batch',
    description:
      'Goes on where a halted or failed batch stopped. A batch that was rolled back starts a new attempt, which wants its run approvals again.',
  });
}
