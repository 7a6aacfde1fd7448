import type { ApproverRole } from '@backfill/core/domain/approvals';

/** Whose yes the policy of the suite wants, of each attempt. */
export const SIGNATURES: Readonly<Record<'run' | 'publish', readonly ApproverRole[]>> = {
  run: ['data_privacy_officer', 'product_owner'],
  publish: ['data_engineering_lead'],
};
