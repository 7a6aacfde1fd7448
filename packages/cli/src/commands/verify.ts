import type { Command } from 'commander';
import { addBatchAction } from '../batch-action.ts';
import type { CliContext } from '../cli-context.ts';

/** `backfill verify BATCH` */
export function addVerify(program: Command, context: CliContext): void {
  addBatchAction(program, context, {
    name: 'verify',
    summary: 'measure the gates again',
    description:
      'Measures all gates of a batch again. Publish approvals count only for what they were given for, so other figures want new ones.',
  });
}
