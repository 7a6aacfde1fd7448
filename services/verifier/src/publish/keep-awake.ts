import { setTimeout as sleep } from 'node:timers/promises';
import type { Queryable } from '@backfill/core/db/pool';

/** Well below what the server lets a transaction idle for (see createPool). */
const EVERY_MS = 5_000;

/**
 * Keeps a transaction from being ended as idle until other work has settled, however that ends. A process that freezes
 * meanwhile does not, and loses it.
 */
export async function keepAwake(client: Queryable, until: Promise<unknown>, everyMs = EVERY_MS): Promise<void> {
  const settled = until.then(
    () => true,
    () => true,
  );
  for (;;) {
    const stop = new AbortController();
    const isOver = await Promise.race([settled, sleep(everyMs, false, { signal: stop.signal })]);
    stop.abort();
    if (isOver) return;
    await client.query('select 1');
  }
}
