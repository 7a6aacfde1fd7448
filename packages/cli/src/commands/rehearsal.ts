import { readFile } from 'node:fs/promises';
import { batchPath } from '@backfill/core/client/api-client';
import type { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { CliError } from '../cli-error.ts';
import { helpExamples } from '../help-examples.ts';
import { openSession } from '../session.ts';
import { showBatch } from '../show-batch.ts';

async function readReport(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new CliError(`${file} cannot be read.`, [], { cause: error });
  }
}

/** `backfill rehearsal BATCH --report FILE` */
export function addRehearsal(program: Command, context: CliContext): void {
  program
    .command('rehearsal')
    .summary('put the rehearsal of a batch on record')
    .description(
      'Puts on record that a run with the same recipe went well elsewhere, by its report.json. A policy may ask for it before the run.',
    )
    .argument('<batch>', 'the batch id')
    .requiredOption('--report <file>', 'the report.json of that run')
    .addHelpText('after', helpExamples('rehearsal my-batch --report staging-report.json'))
    .action(async (batchId: string, options: { report: string }, command: Command) => {
      const session = openSession(context, command, 'operator');
      await session.client.post(batchPath(batchId, '/rehearsal'), { report: await readReport(options.report) });
      await showBatch(session, batchId);
    });
}
