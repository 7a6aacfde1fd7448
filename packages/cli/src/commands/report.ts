import { writeFile } from 'node:fs/promises';
import { batchPath } from '@backfill/core/client/api-client';
import { type Command, Option } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { helpExamples } from '../help-examples.ts';
import { openSession } from '../session.ts';

interface ReportOptions {
  format?: 'csv' | 'json' | 'html';
  output?: string;
}

/** `backfill report BATCH` */
export function addReport(program: Command, context: CliContext): void {
  program
    .command('report')
    .summary("fetch a batch's verification report")
    .description(
      'Fetches the report of a batch: counts per event type and day (csv), those with every gate measured (json), or ' +
        'all of it as one page to read (html), with samples.',
    )
    .argument('<batch>', 'the batch id')
    .addOption(new Option('--format <format>', 'csv, json or html (default: csv)').choices(['csv', 'json', 'html']))
    .option('--output <file>', 'write it here instead of printing it')
    .addHelpText('after', helpExamples('report my-batch', 'report my-batch --format html --output report.html'))
    .action(async (batchId: string, options: ReportOptions, command: Command) => {
      const session = openSession(context, command, 'viewer');
      const format = options.format ?? (session.json ? 'json' : 'csv');
      const report = await session.client.download(batchPath(batchId, `/report.${format}`));
      if (options.output === undefined) {
        context.stdout.write(new TextDecoder().decode(report));
        return;
      }
      await writeFile(options.output, report);
      context.stderr.write(`Wrote ${options.output}\n`);
    });
}
