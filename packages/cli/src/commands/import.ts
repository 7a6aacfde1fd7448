import { batchPath } from '@backfill/core/client/api-client';
import { getBatch } from '@backfill/core/client/follow-batch';
import { restsAtLimit } from '@backfill/core/domain/import-limit';
import { formatImportDryRun } from '@backfill/core/text/format-import-dry-run';
import { dryRunBatch } from '@backfill/core/transform/dry-run';
import type { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { UsageError } from '../cli-error.ts';
import { helpExamples } from '../help-examples.ts';
import { parseCount } from '../parse-count.ts';
import { type GlobalOptions, openSession } from '../session.ts';
import { readSettings } from '../settings.ts';
import { watchToRest } from '../show-batch.ts';
import { withTransformTools } from '../transform-tools.ts';

interface ImportOptions {
  batchId: string;
  limit?: number;
  dryRun?: true;
}

/** `backfill import` */
export function addImport(program: Command, context: CliContext): void {
  program
    .command('import')
    .summary('follow the import of a batch, limit it, or foretell it')
    .description(
      'A batch is imported by itself once its run is approved. This command follows it until it rests, and lets a batch that rests at its limit go on. With --limit, given before the import begins, the first events go through alone as the canary; then the batch halts, until it is resumed or this command is called without --limit. With --dry-run nothing is stored: it tells what would be inserted and what is a duplicate, and of whom.',
    )
    .requiredOption('--batch-id <id>', 'the batch')
    .option('--limit <events>', 'import only so many events, then halt', parseCount)
    .option('--dry-run', 'count what the import would give now')
    .addHelpText(
      'after',
      helpExamples(
        'import --dry-run --batch-id my-batch',
        'import --batch-id my-batch --limit 1000',
        'import --batch-id my-batch',
      ),
    )
    .action(async (options: ImportOptions, command: Command) => {
      if (options.dryRun && options.limit !== undefined) throw new UsageError('--limit does not go with --dry-run.');
      if (options.dryRun) await foretell(context, command, options.batchId);
      else await followImport(context, command, options);
    });
}

async function foretell(context: CliContext, command: Command, batchId: string): Promise<void> {
  const { stateDir, json } = command.optsWithGlobals<GlobalOptions>();
  const { transformer } = readSettings(context.env, stateDir);
  const run = await withTransformTools(transformer, [], context.signal, (tools) => dryRunBatch(tools, batchId));
  const text = json ? JSON.stringify(run, null, 2) : formatImportDryRun(run).join('\n');
  context.stdout.write(`${text}\n`);
}

async function followImport(context: CliContext, command: Command, { batchId, limit }: ImportOptions): Promise<void> {
  const session = openSession(context, command, 'operator');
  if (limit !== undefined) {
    await session.client.post(batchPath(batchId, '/import-limit'), { events: limit });
  } else if (restsAtLimit(await getBatch(session.client, batchId))) {
    await session.client.post(batchPath(batchId, '/resume'), {});
  }
  await watchToRest(session, [batchId]);
}
