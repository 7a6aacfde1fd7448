import { AsyncLocalStorage } from 'node:async_hooks';

const scope = new AsyncLocalStorage<string>();

/**
 * Runs `work`, and whatever it starts, on behalf of a request. Transactions note the id (for the audit log, and for the
 * work that they write down), and log lines have it.
 */
export function withRequestId<T>(id: string | undefined, work: () => T): T {
  return id === undefined ? work() : scope.run(id, work);
}

/** The id of the request on whose behalf this runs; undefined outside of one. */
export function currentRequestId(): string | undefined {
  return scope.getStore();
}
