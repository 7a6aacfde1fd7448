import { findKeyStoreProblems } from '@backfill/core/runtime/prepare-databases';
import type { Check } from './check.ts';

/** Whether the dedup store is the one of these events and can be worked with, and what is in doubt there. */
export const dedupStore: Check = {
  name: 'dedup store',
  needs: ['database'],
  find: ({ pool, keyStore }) => findKeyStoreProblems(pool, keyStore),
};
