import { describe, expect, it } from 'vitest';
import { exampleBatch } from '../client/example-batch.ts';
import { formatProgressLine, formatStageBars } from './format-stages.ts';

describe('formatStageBars', () => {
  it('draws a bar per stage under the headline', () => {
    expect(formatStageBars(exampleBatch())).toEqual([
      'b1  importing',
      '  plan       ████████████████████████  done',
      '  mirror     ████████████████████████  done',
      '  transform  ████████████░░░░░░░░░░░░  1,000 of 2,000 lines',
      '  import     ██████░░░░░░░░░░░░░░░░░░  500 of 2,000 lines',
      '  verify     ░░░░░░░░░░░░░░░░░░░░░░░░',
      '  publish    ░░░░░░░░░░░░░░░░░░░░░░░░',
    ]);
  });
});

describe('formatProgressLine', () => {
  it('tells the stages at work', () => {
    expect(formatProgressLine(exampleBatch())).toBe(
      'b1  importing  transform 1,000 of 2,000 lines  import 500 of 2,000 lines',
    );
  });

  it('tells why a batch was halted, and where', () => {
    const batch = exampleBatch({ status: 'halted', status_reason: 'set to halted by ops', plan_hash: null });
    expect(formatProgressLine(batch)).toBe('b1  halted: set to halted by ops  plan stopped');
  });
});
