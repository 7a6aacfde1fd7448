import { batchPageSchema } from '@backfill/core/client/batch-view';
import { BATCH_STATUSES } from '@backfill/core/domain/batch-status';
import { formatBatchList } from '@backfill/core/text/format-batch-list';
import { type Command, Option } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { helpExamples } from '../help-examples.ts';
import { parseCount } from '../parse-count.ts';
import { openSession, type Session } from '../session.ts';

interface ListOptions {
  status?: string;
  limit: number;
}

/** The API gives at most so many batches at once. */
const PAGE = 200;

/** `backfill list` */
export function addList(program: Command, context: CliContext): void {
  program
    .command('list')
    .summary('list batches, newest first')
    .description('Lists batches, newest first.')
    .addOption(new Option('--status <status>', 'only those in this status').choices(BATCH_STATUSES))
    .option('--limit <n>', 'at most so many', parseCount, 50)
    .addHelpText('after', helpExamples('list', 'list --status gates_failed --json'))
    .action(async (options: ListOptions, command: Command) => {
      const session = openSession(context, command, 'viewer');
      const batches = await fetchBatches(session, options);
      if (session.json) session.printJson(batches);
      else if (batches.length > 0) session.print(formatBatchList(batches));
      else session.print(['No batch found. ./backfill run --help tells how to make one.']);
    });
}

async function fetchBatches(session: Session, { status, limit }: ListOptions) {
  const batches = [];
  let cursor: string | null = null;
  do {
    const query: URLSearchParams = new URLSearchParams({
      limit: String(Math.min(PAGE, limit - batches.length)),
      ...(status !== undefined && { status }),
      ...(cursor !== null && { cursor }),
    });
    const { body } = await session.client.get(`/v1/batches?${query}`);
    const page = batchPageSchema.parse(body);
    batches.push(...page.batches);
    cursor = page.next_cursor;
  } while (cursor !== null && batches.length < limit);
  return batches;
}
