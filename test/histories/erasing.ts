import { randomUUID } from 'node:crypto';
import { createClearSearches } from '@backfill/api/erasure/clear-search';
import { loadConfigDir } from '@backfill/core/config/load-config';
import { requestErasure } from '@backfill/core/db/queries/erasures';
import { withTransaction } from '@backfill/core/db/transaction';
import { DeferError } from '@backfill/core/errors';
import type { KeyedRuntime } from '@backfill/core/runtime/keyed-runtime';
import { eraseSubject } from '@backfill/rollback/jobs/erase-subject';
import { pseudonymsOf } from '../support/forgotten-world.ts';

/** Erasures, step by step. */
export interface Erasing {
  /** Suppresses a person and searches by the clear id, as the API does. @returns the erasure */
  forget(person: string): Promise<number>;
  /** Runs the job of an erasure. False: it waits for something. */
  erase(erasureId: number): Promise<boolean>;
}

export function createErasing(runtime: KeyedRuntime): Erasing {
  const { signal } = new AbortController();
  const loadConfig = () => loadConfigDir(runtime.config.configDir);
  const searches = createClearSearches({ ...runtime, loadConfig }, signal);
  return {
    async forget(person) {
      const search = randomUUID();
      const pseudonyms = pseudonymsOf(runtime, person);
      const { erasure_id: erasureId } = await withTransaction(runtime.pool, 'officer', (client) =>
        requestErasure(client, { actor: 'officer', pseudonyms, search }),
      );
      searches.start({ erasureId, search, subject: person, keys: runtime.keys, pseudonyms, actor: 'officer' });
      await searches.rest();
      return erasureId;
    },
    async erase(erasureId) {
      try {
        await eraseSubject(runtime, { v: 1, erasure_id: erasureId }, { signal });
        return true;
      } catch (error) {
        if (error instanceof DeferError) return false;
        throw error;
      }
    },
  };
}
