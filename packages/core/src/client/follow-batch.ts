import { setTimeout as sleep } from 'node:timers/promises';
import { RESTING_STATUSES } from '../domain/batch-status.ts';
import { type ApiClient, batchPath } from './api-client.ts';
import { ApiUnreachable } from './api-problem.ts';
import { type BatchDetail, batchDetailSchema } from './batch-view.ts';
import { serverSentEvents } from './server-sent-events.ts';

const RECONNECT_DELAY_MS = 1_000;
/** A restart of the services takes less than this. */
const MAX_RECONNECTS = 30;

/** True when nothing will happen to the batch without a call from outside. */
export function isResting(batch: Pick<BatchDetail, 'status'>): boolean {
  return RESTING_STATUSES.includes(batch.status);
}

/** One batch as the API shows it now. */
export async function getBatch(client: ApiClient, batchId: string): Promise<BatchDetail> {
  const { body } = await client.get(batchPath(batchId));
  return batchDetailSchema.parse(body);
}

/**
 * A batch as it is now and at every change, until it rests. A connection that is lost on the way is made anew.
 *
 * @throws {ApiUnreachable} when the API does not answer at first, or stays away.
 */
export async function* followBatch(
  client: ApiClient,
  batchId: string,
  signal: AbortSignal,
): AsyncGenerator<BatchDetail> {
  let reconnects = MAX_RECONNECTS;
  for (;;) {
    try {
      for await (const batch of progressOf(client, batchId, signal)) {
        reconnects = 0;
        yield batch;
        if (isResting(batch)) return;
      }
    } catch (error) {
      // Nothing was seen yet at first, so that a wrong address is told at once.
      if (!(error instanceof ApiUnreachable) || reconnects === MAX_RECONNECTS) throw error;
    }
    reconnects += 1;
    await sleep(RECONNECT_DELAY_MS, undefined, { signal });
  }
}

async function* progressOf(client: ApiClient, batchId: string, signal: AbortSignal): AsyncGenerator<BatchDetail> {
  const path = batchPath(batchId, '/progress');
  const answer = await client.open(path, 'text/event-stream', signal);
  if (answer.body === null) return;
  const events = serverSentEvents(answer.body);
  for (;;) {
    const next = await unlessLost(() => events.next(), answer.url, signal);
    if (next.done === true) return;
    yield batchDetailSchema.parse(JSON.parse(next.value.data));
  }
}

/** A connection that breaks in the middle of an answer is an API that does not answer. */
async function unlessLost<T>(read: () => Promise<T>, url: string, signal: AbortSignal): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (signal.aborted) throw error;
    throw new ApiUnreachable(url, { cause: error });
  }
}
