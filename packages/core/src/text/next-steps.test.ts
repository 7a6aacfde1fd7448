import { describe, expect, it } from 'vitest';
import { exampleBatch } from '../client/example-batch.ts';
import { BATCH_STATUSES } from '../domain/batch-status.ts';
import { nextSteps } from './next-steps.ts';

describe('nextSteps', () => {
  it('names the roles that have not signed', () => {
    expect(nextSteps(exampleBatch({ status: 'awaiting_publish_approval' }))).toEqual([
      './backfill report b1                                what was measured',
      './backfill approve b1 --role data_engineering_lead  signs',
      './backfill publish b1 --watch                       once all have signed',
    ]);
  });

  it('names the overrides that would let a median decide', () => {
    const override = [{ gate: 'activation_funnel', role: 'product_analytics_manager' }];
    const batch = exampleBatch({ status: 'gates_failed', missing_approvals: { run: [], publish: [], override } });
    expect(nextSteps(batch)[1]).toMatch(
      './backfill approve b1 --gate activation_funnel --role product_analytics_manager --comment "…"',
    );
  });

  it.each(BATCH_STATUSES.filter((status) => status !== 'awaiting_run_approval'))('has one for %s', (status) => {
    expect(nextSteps(exampleBatch({ status })).length).toBeGreaterThan(0);
  });
});
