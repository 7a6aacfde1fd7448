import { describe, expect, it } from 'vitest';
import { type BatchRequest, requestSha256, windowProblem } from './submission.ts';

const REQUEST: BatchRequest = {
  batch_id: 'b',
  source: 'web',
  reason: 'outage',
  input: 's3://raw/b/',
  window: { start: '2026-03-01T00:00:00Z', end: '2026-03-02T00:00:00Z' },
};

describe('requestSha256', () => {
  it('ignores the order of names and members that are undefined', () => {
    const { window, ...rest } = REQUEST;
    const same = { window: { end: window.end, start: window.start }, ...rest, ticket: undefined };
    expect(requestSha256(same)).toBe(requestSha256(REQUEST));
  });

  it.each<[string, Partial<BatchRequest>]>([
    ['another window', { window: { ...REQUEST.window, end: '2026-03-03T00:00:00Z' } }],
    ['one field more', { ticket: 'OPS-1' }],
    ['another overlap', { max_overlap: 0 }],
  ])('tells %s apart', (_what, change) => {
    expect(requestSha256({ ...REQUEST, ...change })).not.toBe(requestSha256(REQUEST));
  });
});

describe('windowProblem', () => {
  it('compares instants, not texts', () => {
    const window = { start: '2026-03-01T00:30:00+01:00', end: '2026-02-28T23:45:00Z' };
    expect(windowProblem(window)).toBeUndefined();
    expect(windowProblem({ start: window.end, end: window.start })).toBe('start must be before end');
  });
});
