import { createApiClient } from '@backfill/core/client/api-client';
import { batchPageSchema } from '@backfill/core/client/batch-view';
import { BATCH_ID } from '@backfill/core/domain/submission';
import type { Settings } from '../settings.ts';
import type { Candidate } from './complete.ts';

/** Whoever presses Tab does not wait for long. */
const PATIENCE_MS = 2_000;
const MOST = 200;

/** The newest batches with their statuses; none where the API cannot be asked, since Tab is no place for errors. */
export async function listBatchIds(settings: Settings, signal: AbortSignal): Promise<Candidate[]> {
  try {
    const client = createApiClient({
      baseUrl: settings.apiUrl(),
      token: settings.token('viewer'),
      signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]),
    });
    const { body } = await client.get(`/v1/batches?limit=${MOST}`);
    const { batches } = batchPageSchema.parse(body);
    // A shell reads what is offered: nothing that a batch cannot be called gets there, whoever answers.
    return batches
      .filter(({ batch_id }) => BATCH_ID.test(batch_id))
      .map(({ batch_id, status }) => ({ value: batch_id, description: status }));
  } catch {
    return [];
  }
}
