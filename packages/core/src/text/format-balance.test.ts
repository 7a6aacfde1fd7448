import { describe, expect, it } from 'vitest';
import { exampleBatch } from '../client/example-batch.ts';
import { formatBalance, formatFileBalances } from './format-balance.ts';

describe('formatBalance', () => {
  it('puts one outcome on a line', () => {
    expect(formatBalance({ ...exampleBatch().balance, read: 12_050, inserted: 12_000 })).toEqual([
      '   read         12,050',
      '=  inserted     12,000',
      '+  duplicate        10',
      '+  suppressed        1',
      '+  expired           2',
      '+  filtered         30',
      '+  quarantined       7',
      'every line is accounted for',
    ]);
  });

  it.each([
    [503, 'DOES NOT BALANCE: 3 lines are not accounted for'],
    [498, 'DOES NOT BALANCE: 2 lines are counted twice'],
  ])('says when %d lines were read', (read, verdict) => {
    expect(formatBalance({ ...exampleBatch().balance, read }).at(-1)).toBe(verdict);
  });
});

describe('formatFileBalances', () => {
  it('marks the file that does not balance', () => {
    const lines = formatFileBalances(exampleBatch().files);
    expect(lines[1]).toMatch(/^a\.ndjson +500 +450 +10 +1 +2 +30 +7$/);
    expect(lines[2]).toMatch(/^b\.ndjson +501 .* DOES NOT BALANCE$/);
  });
});
