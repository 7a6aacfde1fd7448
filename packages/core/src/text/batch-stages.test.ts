import { describe, expect, it } from 'vitest';
import type { BatchDetail } from '../client/batch-view.ts';
import { exampleBatch } from '../client/example-batch.ts';
import { batchStages } from './batch-stages.ts';

const states = (changes: Partial<BatchDetail>) =>
  batchStages(exampleBatch(changes))
    .map(({ state }) => state)
    .join(' ');

const ALL_READ = { read: 2_000, inserted: 2_000, duplicate: 0, suppressed: 0, expired: 0, filtered: 0, quarantined: 0 };
const TRANSFORMED = { chunks_total: 2, chunks_done: 2, lines_read: 2_000 };
const GATE = { gate: 'balance', threshold: 0, observed: 1, passed: false };

describe('batchStages', () => {
  it.each<[string, Partial<BatchDetail>]>([
    ['running waiting waiting waiting waiting waiting', { status: 'planning' }],
    ['done waiting waiting waiting waiting waiting', { status: 'awaiting_run_approval' }],
    ['done running waiting waiting waiting waiting', { status: 'preparing' }],
    ['done done running running waiting waiting', { status: 'importing' }],
    ['done done done running waiting waiting', { status: 'importing', progress: TRANSFORMED }],
    ['done done done done running waiting', { status: 'verifying' }],
    ['done done done done stopped waiting', { status: 'gates_failed' }],
    ['done done done done done waiting', { status: 'awaiting_publish_approval' }],
    ['done done done done done running', { status: 'publishing' }],
    ['done done done done done done', { status: 'published' }],
  ])('gives %s', (expected, changes) => {
    expect(states(changes)).toBe(expected);
  });

  it.each<[string, Partial<BatchDetail>]>([
    ['stopped waiting waiting waiting waiting waiting', { plan_hash: null }],
    ['done stopped waiting waiting waiting waiting', { progress: { ...TRANSFORMED, lines_read: 0 } }],
    ['done done stopped stopped waiting waiting', {}],
    ['done done done done stopped waiting', { progress: TRANSFORMED, balance: ALL_READ }],
    ['done done done done stopped waiting', { gates: [GATE] }],
    ['done done done done done stopped', { gates: [{ ...GATE, passed: true }] }],
  ])('of a halted batch gives %s', (expected, changes) => {
    expect(states({ status: 'halted', ...changes })).toBe(expected);
  });

  it('counts the lines of transform and import over all files', () => {
    const counts = batchStages(exampleBatch()).map(({ lines }) => lines);
    expect(counts.slice(2, 4)).toEqual([
      { done: 1_000, total: 2_000 },
      { done: 500, total: 2_000 },
    ]);
  });

  it('has no stages for a batch that was taken back', () => {
    expect(batchStages(exampleBatch({ status: 'rolled_back' }))).toEqual([]);
  });
});
