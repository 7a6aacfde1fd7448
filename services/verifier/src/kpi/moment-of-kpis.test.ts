import { overrideHash } from '@backfill/core/domain/override';
import { describe, expect, it } from 'vitest';
import { momentOfKpis } from './moment-of-kpis.ts';

const NOW = Date.parse('2026-11-05T12:00:00Z');
const BEFORE = '2026-11-05T11:00:00.000Z';
const batch = { plan_hash: 'p', gate_set_hash: 'g', rows_digest: 'r' };
const gate = { gate: 'activation_funnel', threshold: 0.005, observed: 0.004, detail: { as_of: BEFORE } };
const bound = overrideHash({ planHash: 'p', rowsDigest: 'r' }, gate);
const override = {
  ...{ stage: 'override', role: 'product_analytics_manager', actor: 'ada', decision: 'approve' as const },
  boundHash: bound,
};

describe('momentOfKpis', () => {
  it('is that of the figure which somebody has decided about', () => {
    expect(momentOfKpis(batch, [gate], [override], NOW)).toBe(Date.parse(BEFORE));
  });

  it('is that of the figures which somebody has signed', () => {
    const signed = { ...override, stage: 'publish', boundHash: 'g' };
    expect(momentOfKpis(batch, [gate], [signed], NOW)).toBe(Date.parse(BEFORE));
  });

  it.each([
    ['only the run was approved', batch, [{ ...override, stage: 'run', boundHash: 'p' }]],
    ['other figures were signed', batch, [{ ...override, stage: 'publish', boundHash: 'x' }]],
    ['nobody has decided', batch, []],
    ['the rows are others', { ...batch, rows_digest: 'x' }, [override]],
    ['the decision was about another figure', batch, [{ ...override, boundHash: 'x' }]],
  ])('is now where %s', (_, of, approvals) => {
    expect(momentOfKpis(of, [gate], approvals, NOW)).toBe(NOW);
  });
});
