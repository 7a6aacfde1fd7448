import type { BatchRow } from '@backfill/core/db/queries/batch-get';
import { ACCESS_WINDOW } from './access-log.ts';
import type { Pipeline } from './pipeline.ts';

/** Uploads the files, submits them as an access log of {@link ACCESS_WINDOW}, and waits until the batch rests. */
export async function runBatch(
  pipeline: Pipeline,
  batchId: string,
  files: Record<string, Buffer | string>,
): Promise<BatchRow> {
  await pipeline.upload(batchId, files);
  await pipeline.submit({ batchId, source: 'web-access', window: ACCESS_WINDOW });
  return pipeline.rest(batchId);
}
