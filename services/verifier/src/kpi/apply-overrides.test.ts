import type { GateResult } from '@backfill/core/domain/gate-result';
import { overrideHash } from '@backfill/core/domain/override';
import { describe, expect, it } from 'vitest';
import { applyOverrides, type OverrideContext } from './apply-overrides.ts';

const MANAGER = 'product_analytics_manager';
const GATE: GateResult = {
  ...{ gate: 'daily_active_sessions', threshold: 0.015, observed: 0.01, passed: false, procedure: '' },
  detail: { needs_override: true, why: 'the median is all there is' },
};
const ROWS = { planHash: 'plan-1', rowsDigest: 'rows-1' };

function approval(gate: GateResult, change: object = {}, rows = ROWS) {
  return {
    ...{ stage: 'override', role: MANAGER, actor: 'pam', decision: 'approve' as const, comment: 'no campaign then' },
    boundHash: overrideHash(rows, gate),
    ...change,
  };
}

function apply(gate: GateResult, change: Partial<OverrideContext> = {}): GateResult {
  const context = { ...ROWS, roles: [MANAGER], approvals: [approval(gate)], ...change };
  return applyOverrides([gate], context)[0] as GateResult;
}

describe('applyOverrides', () => {
  it('lets the median decide, and says who let it', () => {
    expect(apply(GATE)).toEqual({
      ...GATE,
      passed: true,
      detail: {
        needs_override: false,
        overridden_by: [{ role: MANAGER, actor: 'pam', comment: 'no campaign then' }],
      },
    });
    const beyond = apply({ ...GATE, observed: 0.02 });
    expect([beyond.passed, beyond.detail.why]).toEqual([false, expect.stringContaining('beyond the threshold')]);
  });

  it.each<[string, Partial<OverrideContext>]>([
    ['nobody has said anything', { approvals: [] }],
    ['somebody has said no since', { approvals: [approval(GATE), approval(GATE, { decision: 'reject' })] }],
    ['another role is asked too', { roles: [MANAGER, 'product_owner'] }],
    ['nobody may', { roles: [] }],
    ['the yes is for another plan', { approvals: [approval(GATE, {}, { ...ROWS, planHash: 'plan-0' })] }],
    ['the yes is for other rows', { approvals: [approval(GATE, {}, { ...ROWS, rowsDigest: 'rows-0' })] }],
    ['the yes is for another gate', { approvals: [approval({ ...GATE, gate: 'activation_funnel' })] }],
    ['the yes is for another observation', { approvals: [approval({ ...GATE, observed: 0.011 })] }],
    ['the yes is for another threshold', { approvals: [approval({ ...GATE, threshold: 0.02 })] }],
    ['the yes is for another stage', { approvals: [approval(GATE, { stage: 'publish' })] }],
    ['the rows could not be read', { rowsDigest: null }],
  ])('leaves the gate failed when %s', (_what, change) => {
    expect(apply(GATE, change)).toEqual(GATE);
  });

  it.each<[string, Partial<GateResult>]>([
    ['a gate of integrity', { gate: 'balance' }],
    ['a gate that the median is not all there is for', { detail: { needs_override: false } }],
    ['a gate that measured nothing', { observed: null }],
  ])('never touches %s', (_what, change) => {
    const gate = { ...GATE, ...change };
    expect(apply(gate)).toEqual(gate);
  });
});
