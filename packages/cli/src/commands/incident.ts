import { batchPath } from '@backfill/core/client/api-client';
import type { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { helpExamples } from '../help-examples.ts';
import { parseCount } from '../parse-count.ts';
import { openSession } from '../session.ts';
import { showBatch } from '../show-batch.ts';

/** `backfill incident BATCH --close N --note URL` */
export function addIncident(program: Command, context: CliContext): void {
  program
    .command('incident')
    .summary('close an incident')
    .description(
      'Closes an incident of a batch with a link to its post-mortem. A freeze that only the incident holds is lifted.',
    )
    .argument('<batch>', 'the batch id')
    .requiredOption('--close <number>', 'the incident', parseCount)
    .requiredOption('--note <text>', 'where the post-mortem is')
    .addHelpText('after', helpExamples('incident my-batch --close 3 --note https://wiki.example.eu/post-mortem-3'))
    .action(async (batchId: string, options: { close: number; note: string }, command: Command) => {
      const session = openSession(context, command, 'operator');
      await session.client.post(batchPath(batchId, `/incidents/${options.close}/close`), { note: options.note });
      await showBatch(session, batchId);
    });
}
