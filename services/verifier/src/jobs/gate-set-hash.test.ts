import type { GateResult } from '@backfill/core/domain/gate-result';
import { expect, it } from 'vitest';
import { gateSetHash } from './verify-batch.ts';

const gate = (name: string, detail: GateResult['detail']): GateResult => ({
  ...{ gate: name, threshold: 0, observed: 0, passed: true, procedure: 'select 1', detail },
});

it('is another one when other rows are replaced, or change in another way', () => {
  const hashOf = (...gates: GateResult[]) => gateSetHash('plan', gates, 'rows');
  const replaces = { rows: 2, fingerprint: '2:5', changes: [{ event_name: 'a', gone: 1 }] };
  const signed = hashOf(gate('balance', {}), gate('replaces', replaces));
  expect(hashOf(gate('balance', { files: 3 }), gate('replaces', { ...replaces }))).toBe(signed);
  for (const changed of [{ fingerprint: '2:6' }, { changes: [{ event_name: 'a', gone: 2 }] }, { rows: 3 }]) {
    expect(hashOf(gate('balance', {}), gate('replaces', { ...replaces, ...changed }))).not.toBe(signed);
  }
});
