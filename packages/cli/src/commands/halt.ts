import type { Command } from 'commander';
import { addBatchAction } from '../batch-action.ts';
import type { CliContext } from '../cli-context.ts';

/** `backfill halt BATCH` */
export function addHalt(program: Command, context: CliContext): void {
  addBatchAction(program, context, {
    name: 'halt',
    summary: 'stop a batch where it is',
    description: 'Stops a batch where it is. Within seconds nothing commits for it any more; `resume` goes on.',
  });
}
