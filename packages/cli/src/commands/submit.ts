import type { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { helpExamples } from '../help-examples.ts';
import { openSession } from '../session.ts';
import { showBatch } from '../show-batch.ts';
import { type SubmissionOptions, submissionBody, withSubmissionOptions } from '../submission-options.ts';
import { submitBatch } from '../submit-batch.ts';

/** `backfill submit` */
export function addSubmit(program: Command, context: CliContext): void {
  withSubmissionOptions(
    program
      .command('submit')
      .summary('submit raw logs that lie in the bucket')
      .description(
        'Submits a batch over raw logs that lie in the raw bucket already. The same submission again changes nothing.',
      )
      .requiredOption('--batch-id <id>', 'a name of your own for the batch')
      .requiredOption('--input <s3 prefix>', 'where the raw logs lie: s3://analytics-raw/my-batch/'),
  )
    .addHelpText(
      'after',
      helpExamples(
        'submit --batch-id my-batch --source app --input s3://analytics-raw/my-batch/ \\\n      --start 2026-08-01T00:00:00Z --end 2026-08-02T00:00:00Z',
      ),
    )
    .action(async (options: SubmissionOptions & { batchId: string; input: string }, command: Command) => {
      const body = submissionBody(options.batchId, options.input, options);
      const session = openSession(context, command, 'submitter');
      await submitBatch(session, body);
      await showBatch(session, options.batchId);
    });
}
