import type { BatchDetail } from '@backfill/core/client/batch-view';
import { archiveLayout, CSV_REPORT } from '@backfill/core/storage/layout';
import { formatBalance } from '@backfill/core/text/format-balance';
import { formatGates } from '@backfill/core/text/format-gates';
import type { DemoContext } from './demo-context.ts';
import { DemoError } from './demo-error.ts';
import { differences } from './expected-outcome.ts';
import type { UploadedLogs } from './raw-logs.ts';

/**
 * Prints a batch's balance sheet, gates and report, and holds them against what was planted.
 *
 * @throws {DemoError} when a line ended elsewhere than planted.
 */
export async function checkBatch(context: DemoContext, batch: BatchDetail, logs: UploadedLogs): Promise<void> {
  const { batch_id, source, balance, gates } = batch;
  const report = archiveLayout.report(batch_id, CSV_REPORT);
  context.say(
    '',
    `${batch_id} (${source})`,
    ...formatBalance(balance).map((line) => `  ${line}`),
    ...formatGates(gates).map((line) => `  ${line}`),
    `  report  s3://${context.archiveBucket}/${report}`,
  );
  const wrong = differences(logs.planted, batch, await quarantineByReason(context, batch_id));
  if (wrong.length > 0) {
    throw new DemoError([`${batch_id} is not what was planted:`, ...wrong.map((line) => `  ${line}`)].join('\n'));
  }
  context.say('  exactly what was planted, line for line and reason for reason');
}

async function quarantineByReason(context: DemoContext, batchId: string): Promise<Record<string, number>> {
  const { rows } = await context.pool.query<{ reason: string; lines: number }>(
    'select reason, count(*) as lines from analytics.backfill_quarantine where batch_id = $1 group by reason',
    [batchId],
  );
  return Object.fromEntries(rows.map(({ reason, lines }) => [reason, lines]));
}
