import { batchPath } from '@backfill/core/client/api-client';
import { ROLLBACK_MODES } from '@backfill/core/domain/rollback-mode';
import { type Command, Option } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { helpExamples } from '../help-examples.ts';
import { openSession } from '../session.ts';
import { showBatch, watchToRest } from '../show-batch.ts';

/** `backfill rollback BATCH` */
export function addRollback(program: Command, context: CliContext): void {
  program
    .command('rollback')
    .summary('take a batch back')
    .description(
      'Takes a batch back: its events leave analytics.events, its keys are free, nobody else loses anything, and all of it is ' +
        'proven. `resume` brings back the same events.',
    )
    .argument('<batch>', 'the batch id')
    .addOption(
      new Option(
        '--mode <mode>',
        'all its events; those in its window; or all, and what was live there before comes back',
      )
        .choices(ROLLBACK_MODES)
        .default('tombstone'),
    )
    .option('--watch', 'stay until it is done')
    .addHelpText('after', helpExamples('rollback my-batch --watch', 'rollback my-batch --mode snapshot --watch'))
    .action(async (batchId: string, options: { mode: string; watch?: true }, command: Command) => {
      const session = openSession(context, command, 'operator');
      await session.client.post(batchPath(batchId, '/rollback'), { mode: options.mode });
      if (options.watch) await watchToRest(session, [batchId]);
      else await showBatch(session, batchId);
    });
}
