import { expect, it } from 'vitest';
import type { Plan } from './plan.ts';
import { describePlanChanges } from './plan-changes.ts';

const file = (name: string, sha256 = 'a') => ({ source_file: name, size: 1, sha256, format: 'ndjson', lines: 1 });
const plan = (change: object = {}) =>
  ({
    planVersion: 1,
    batchId: 'b',
    manifest: [file('a'), file('b')],
    recipe: { window: { startMs: 0, endMs: 1 }, limits: { maxLineBytes: 1 } },
    policy: { approvals: { run: [], publish: [] }, gates: { max_overlap: 0.001, schema: 1 } },
    retentionException: null,
    ...change,
  }) as unknown as Plan;

it.each<[string, object, string[]]>([
  ['nothing', {}, []],
  [
    'files',
    { manifest: [file('b', 'c'), file('d'), file('e'), file('f'), file('g')] },
    ['new files: d, e, f, and 1 more', 'files gone: a', 'changed files: b'],
  ],
  ['the recipe', { recipe: { window: { startMs: 0, endMs: 2 }, limits: { maxLineBytes: 1 } } }, ['recipe: window']],
  [
    'thresholds',
    { policy: { approvals: { run: [], publish: [] }, gates: { max_overlap: 0.5, schema: 1 } } },
    ['gates: max_overlap (0.001 became 0.5)'],
  ],
  [
    'who has to approve',
    { policy: { approvals: { run: ['product_owner'], publish: [] }, gates: { max_overlap: 0.001, schema: 1 } } },
    ['policy: approvals'],
  ],
  ['the exception', { retentionException: { why: 'audit', until: '2027-01-01' } }, ['the retention exception']],
])('tells what changed in %s', (_what, change, expected) => {
  expect(describePlanChanges(plan(), plan(change))).toEqual(expected);
});
