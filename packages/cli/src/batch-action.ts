import { batchPath } from '@backfill/core/client/api-client';
import type { Command } from 'commander';
import type { CliContext } from './cli-context.ts';
import { helpExamples } from './help-examples.ts';
import { openSession } from './session.ts';
import { showBatch, watchToRest } from './show-batch.ts';

export interface BatchAction {
  name: 'halt' | 'publish' | 'resume' | 'verify';
  summary: string;
  /** More than the summary, for the command's own help. */
  description: string;
}

/** Adds a command that asks an operator's step of one batch and shows the batch, or watches it. */
export function addBatchAction(program: Command, context: CliContext, action: BatchAction): void {
  const { name, summary, description } = action;
  program
    .command(name)
    .summary(summary)
    .description(description)
    .argument('<batch>', 'the batch id')
    .option('--watch', 'stay until the batch rests')
    .addHelpText('after', helpExamples(`${name} my-batch`, `${name} my-batch --watch`))
    .action(async (batchId: string, options: { watch?: true }, command: Command) => {
      const session = openSession(context, command, 'operator');
      await session.client.post(batchPath(batchId, `/${name}`), {});
      if (options.watch) await watchToRest(session, [batchId]);
      else await showBatch(session, batchId);
    });
}
