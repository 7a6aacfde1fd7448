import { describe, expect, it } from 'vitest';
import { overlapGates, type RecutFile } from './overlap-gates.ts';

const thresholds = { duplicate_ratio: 0.001, max_overlap: 0.01, max_recut: 0.001 };
const counts = { staged: 10_000, same_batch: 0, other_batch: 0, live: 0, newly_live: 0 };

function judge(changes: Partial<typeof counts>, recut?: RecutFile) {
  const [duplicates, overlap] = overlapGates({ ...counts, ...changes }, thresholds, recut);
  return {
    duplicates: duplicates?.observed,
    overlap: overlap?.observed,
    passed: [duplicates?.passed, overlap?.passed],
  };
}

describe('overlapGates', () => {
  it('passes a clean and an empty batch', () => {
    expect(judge({})).toEqual({ duplicates: 0, overlap: 0, passed: [true, true] });
    expect(judge({ staged: 0 })).toEqual({ duplicates: 0, overlap: 0, passed: [true, true] });
  });

  it('judges repeats at exactly one in a thousand', () => {
    expect(judge({ same_batch: 10 })).toEqual({ duplicates: 0.001, overlap: 0, passed: [true, true] });
    expect(judge({ same_batch: 11 })).toEqual({ duplicates: 0.0011, overlap: 0, passed: [false, true] });
  });

  it('takes overlap of every origin up to its share as normal, and counts only the excess as duplicates', () => {
    expect(judge({ other_batch: 40, live: 40, newly_live: 20 })).toEqual({
      duplicates: 0,
      overlap: 0.01,
      passed: [true, true],
    });
    expect(judge({ other_batch: 10_000 })).toEqual({ duplicates: 0.99, overlap: 1, passed: [false, false] });
  });

  it('refuses events of files that were cut differently, however much overlap was announced', () => {
    const file = { source_file: 'a.log', winner: 'earlier', accepted: 1_000 };
    expect(judge({ other_batch: 50 }, { ...file, recut: 1 })).toEqual({
      duplicates: 0,
      overlap: 0.005,
      passed: [true, true],
    });
    expect(judge({ other_batch: 50 }, { ...file, recut: 2 })).toEqual({
      duplicates: 0,
      overlap: 0.002,
      passed: [true, false],
    });
  });
});
