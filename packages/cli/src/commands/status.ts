import { type BatchView, batchPageSchema } from '@backfill/core/client/batch-view';
import { getBatch, isResting } from '@backfill/core/client/follow-batch';
import { formatFileBalances } from '@backfill/core/text/format-balance';
import { formatBatchList } from '@backfill/core/text/format-batch-list';
import type { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { helpExamples } from '../help-examples.ts';
import { openSession, type Session } from '../session.ts';
import { showBatch, watchToRest } from '../show-batch.ts';

interface StatusOptions {
  watch?: true;
  files?: true;
}

/** The newest batches, of which those still at work are shown. */
const NEWEST = 200;

/** `backfill status [BATCH]` */
export function addStatus(program: Command, context: CliContext): void {
  program
    .command('status')
    .summary('tell where a batch stands, or follow it')
    .description(
      'Tells where a batch stands: its progress, balance, gates and approvals, and what to do next. Without a batch: all that are not finished. With --watch it stays until the batch rests; the exit code is 1 when it was halted, has failed, or did not pass its gates.',
    )
    .argument('[batch]', 'the batch id')
    .option('--watch', 'show the progress of each stage live')
    .option('--files', 'also the balance of each file')
    .addHelpText('after', helpExamples('status', 'status my-batch', 'status my-batch --watch'))
    .action(async (batchId: string | undefined, options: StatusOptions, command: Command) => {
      const session = openSession(context, command, 'viewer');
      if (batchId === undefined) {
        await showUnfinished(session, options);
        return;
      }
      if (options.watch) await watchToRest(session, [batchId]);
      else await showBatch(session, batchId);
      if (options.files && !session.json) await showFiles(session, batchId);
    });
}

async function showUnfinished(session: Session, options: StatusOptions): Promise<void> {
  const { body } = await session.client.get(`/v1/batches?limit=${NEWEST}`);
  const { batches } = batchPageSchema.parse(body);
  const atWork = batches.filter((batch) => !isResting(batch)).map(({ batch_id }) => batch_id);
  if (options.watch && atWork.length > 0) {
    await watchToRest(session, atWork);
    return;
  }
  const unfinished = batches.filter(isUnfinished);
  if (session.json) session.printJson(unfinished);
  else if (unfinished.length > 0) session.print(formatBatchList(unfinished));
  else session.print(['No batch is under way. ./backfill list shows the finished ones.']);
}

function isUnfinished({ status }: BatchView): boolean {
  return status !== 'published' && status !== 'rolled_back';
}

async function showFiles(session: Session, batchId: string): Promise<void> {
  const { files } = await getBatch(session.client, batchId);
  session.print(['', 'Files:', ...formatFileBalances(files).map((line) => `  ${line}`)]);
}
