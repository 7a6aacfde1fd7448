import { describe, expect, it } from 'vitest';
import { exampleBatch } from '../client/example-batch.ts';
import { formatProgressLine, formatStageBars } from './format-stages.ts';

const GATES = [
  { gate: 'duplicates', observed: 0.0005, threshold: 0.001, passed: true },
  { gate: 'row_count', observed: 12, threshold: 1, passed: false },
  { gate: 'daily_sessions', observed: null, threshold: 0.1, passed: true, detail: { not_applicable: 'no such KPI' } },
];
const RATES = { transform: 250, import: 0 };

describe('formatStageBars', () => {
  it('draws a bar per stage under the headline, with rates, time left and the balance so far', () => {
    expect(formatStageBars(exampleBatch(), RATES, 100)).toEqual([
      'b1  importing',
      '  plan       ████████████████████████  done',
      '  mirror     ████████████████████████  done',
      '  transform  ████████████░░░░░░░░░░░░  1,000 of 2,000 lines, 250/s, 4 s left',
      '  import     ██████░░░░░░░░░░░░░░░░░░  500 of 2,000 lines, 0/s',
      '  verify     ░░░░░░░░░░░░░░░░░░░░░░░░',
      '  publish    ░░░░░░░░░░░░░░░░░░░░░░░░',
      '  balance    500 read = 450 inserted + 10 duplicate + 1 suppressed + 2 expired + 30 filtered',
      '             + 7 quarantined',
    ]);
  });

  it('says no rate before it has seen enough', () => {
    expect(formatStageBars(exampleBatch(), {}, 80)).toContain(
      '  transform  ████████████░░░░░░░░░░░░  1,000 of 2,000 lines',
    );
  });

  it.each([20, 40, 60, 80, 200])('keeps within %d columns', (columns) => {
    const lines = formatStageBars(exampleBatch(), RATES, columns);
    const widest = Math.max(...lines.map((line) => line.length));
    // Below 40 the terminal's edge cuts it.
    expect(widest).toBeLessThan(Math.max(40, columns));
  });

  it('tells the same shorter on a narrow terminal', () => {
    expect(formatStageBars(exampleBatch(), RATES, 40).slice(3)).toEqual([
      '  transform  ████░░░░  50 %, 4 s left',
      '  import     ██░░░░░░  25 %',
      '  verify     ░░░░░░░░',
      '  publish    ░░░░░░░░',
      '  balance    500 read = 450 inserted',
      '             + 10 duplicate',
      '             + 1 suppressed + 2 expired',
      '             + 30 filtered',
      '             + 7 quarantined',
    ]);
  });

  it('tells the gates that were measured, the verdict first', () => {
    expect(formatStageBars(exampleBatch({ status: 'gates_failed', gates: GATES }), {}, 80).slice(-3)).toEqual([
      '  passed  duplicates      0.0005 of 0.001',
      '  FAILED  row_count       12 of 1',
      '  n/a     daily_sessions',
    ]);
  });
});

describe('formatProgressLine', () => {
  it('tells the stages at work', () => {
    expect(formatProgressLine(exampleBatch())).toBe(
      'b1  importing  transform 1,000 of 2,000 lines  import 500 of 2,000 lines',
    );
  });

  it('tells their rates', () => {
    expect(formatProgressLine(exampleBatch(), RATES)).toBe(
      'b1  importing  transform 1,000 of 2,000 lines, 250/s, 4 s left  import 500 of 2,000 lines, 0/s',
    );
  });

  it('tells why a batch was halted, and where', () => {
    const batch = exampleBatch({ status: 'halted', status_reason: 'set to halted by ops', plan_hash: null });
    expect(formatProgressLine(batch)).toBe('b1  halted: set to halted by ops  plan stopped');
  });
});
