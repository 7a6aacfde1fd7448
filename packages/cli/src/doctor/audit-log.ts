import { findAuditProblems } from '@backfill/core/runtime/check-audit';
import type { Check } from './check.ts';

/** Whether every entry is as it was sealed. Without a database's schema there may still be heads of it in the archive. */
export const auditLog: Check = {
  name: 'audit log',
  needs: ['database', 'store'],
  find: ({ pool, store, config }) => findAuditProblems(pool, store, config.storage.archiveBucket, config.auditKey),
};
