import { describe, expect, it } from 'vitest';
import { type ReplaceableBatch, replacementProblem } from './replacement.ts';

const window = { window_start: new Date('2026-03-01T00:00:00Z'), window_end: new Date('2026-03-03T00:00:00Z') };
const published: ReplaceableBatch = {
  ...window,
  batch_id: 'old',
  source: 'app',
  status: 'published',
  rows_live: true,
  replaced_by: null,
};
const batch = { ...window, source: 'app' };

describe('replacementProblem', () => {
  it('lets a published batch of the same source and window be replaced', () => {
    expect(replacementProblem(batch, published)).toBeUndefined();
  });

  it('lets a larger window replace it', () => {
    const larger = { ...batch, window_start: new Date('2026-02-01T00:00:00Z') };
    expect(replacementProblem(larger, published)).toBeUndefined();
  });

  it.each([
    [undefined, /no such batch/],
    [{ ...published, source: 'web' }, /source web/],
    [{ ...published, status: 'rolled_back', rows_live: false }, /rolled_back, not published/],
    [{ ...published, status: 'publishing' }, /publishing, not published/],
    [{ ...published, rows_live: false, replaced_by: 'newer' }, /replaced by newer/],
    [{ ...published, window_end: new Date('2026-03-03T00:00:01Z') }, /must hold all/],
    [{ ...published, window_start: new Date('2026-02-28T23:59:59Z') }, /must hold all/],
  ])('refuses %o', (target, problem) => {
    expect(replacementProblem(batch, target)).toMatch(problem);
  });
});
