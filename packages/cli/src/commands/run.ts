import { batchPath } from '@backfill/core/client/api-client';
import { ApiProblem } from '@backfill/core/client/api-problem';
import { formatQuantity } from '@backfill/core/text/format-number';
import type { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { defaultBatchId } from '../default-batch-id.ts';
import { helpExamples } from '../help-examples.ts';
import { listLocalFiles } from '../local-files.ts';
import { openSession, type Session } from '../session.ts';
import { watchToRest } from '../show-batch.ts';
import { type SubmissionOptions, submissionBody, withSubmissionOptions } from '../submission-options.ts';
import { submitBatch } from '../submit-batch.ts';
import { uploadFiles } from '../upload-folder.ts';
import { uploadProgress } from '../upload-progress.ts';

const S3_ADDRESS = /^s3:\/\//;

/** `backfill run DIR|s3://…` */
export function addRun(program: Command, context: CliContext): void {
  withSubmissionOptions(
    program
      .command('run')
      .summary('upload, submit and watch: the short way')
      .description(
        'Uploads a folder of raw logs (or takes what lies under an s3:// prefix), submits it as a batch and stays until the batch rests. The same call again goes on watching the same batch.',
      )
      .argument('<from>', 'a folder, or s3://bucket/prefix/')
      .option('--batch-id <id>', 'a name for the batch (default: source and window)'),
  )
    .addHelpText(
      'after',
      helpExamples(
        'run ./my-logs --source app --start 2026-08-01T00:00:00Z --end 2026-08-02T00:00:00Z',
        'run s3://analytics-raw/my-batch/ --batch-id my-batch --source app \\\n      --start 2026-08-01T00:00:00Z --end 2026-08-02T00:00:00Z',
      ),
    )
    .action(async (from: string, options: SubmissionOptions & { batchId?: string }, command: Command) => {
      const batchId = options.batchId ?? defaultBatchId(options);
      const isRemote = S3_ADDRESS.test(from);
      // Before anything is uploaded: a batch that cannot be submitted needs no files.
      const body = submissionBody(batchId, from, options);
      const session = openSession(context, command, 'submitter');
      const input = isRemote ? from : await bringFolder(session, from, batchId);
      await submitBatch(session, { ...body, input });
      await watchToRest(session, [batchId]);
    });
}

/**
 * Uploads the folder, unless its batch is known: then the files are there, and pinned. A batch that failed may want
 * mended files: they are uploaded again, and a resume takes them.
 */
async function bringFolder(session: Session, folder: string, batchId: string): Promise<string> {
  const files = await listLocalFiles(folder);
  const storage = session.settings.storage();
  const prefix = `${batchId}/`;
  const input = `s3://${storage.rawBucket}/${prefix}`;
  const status = await statusOfBatch(session, batchId);
  if (status !== undefined && status !== 'failed') return input;
  // Loaded here alone: the S3 client costs more than all the rest of the command line at start.
  const { createObjectStore } = await import('@backfill/core/storage/object-store');
  const store = createObjectStore(storage);
  try {
    if (!session.json) {
      session.print([`Uploading ${formatQuantity(files.length, 'file')} to ${input}`]);
    }
    const target = { store, bucket: storage.rawBucket, prefix, endpoint: storage.endpoint };
    const { stdout, signal } = session.context;
    const told = session.json ? undefined : uploadProgress(stdout, files.length);
    await uploadFiles(files, target, signal, told);
  } catch (error) {
    if (session.context.signal.aborted) {
      session.context.stderr.write(
        'The upload has ended, and nothing was submitted. The same call again begins it anew.\n',
      );
    }
    throw error;
  } finally {
    store.close();
  }
  return input;
}

async function statusOfBatch(session: Session, batchId: string): Promise<string | undefined> {
  try {
    const { body } = await session.client.get(batchPath(batchId));
    return (body as { status: string }).status;
  } catch (error) {
    if (error instanceof ApiProblem && error.status === 404) return undefined;
    throw error;
  }
}
