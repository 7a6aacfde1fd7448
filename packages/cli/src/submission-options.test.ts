import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { UsageError } from './cli-error.ts';
import { type SubmissionOptions, submissionBody } from './submission-options.ts';

const OPTIONS: SubmissionOptions = {
  source: 'app',
  start: '2026-08-01T00:00:00Z',
  end: '2026-08-02T00:00:00+02:00',
  reason: 'outage',
};
const INPUT = 's3://analytics-raw/b1/';

function mistakesOf(batchId: string, options: SubmissionOptions): string[] {
  try {
    submissionBody(batchId, INPUT, options);
  } catch (error) {
    if (error instanceof UsageError) return error.message.split('\n');
    throw error;
  }
  return [];
}

describe('submissionBody', () => {
  it('says only what was said', () => {
    expect(submissionBody('b1', INPUT, OPTIONS)).toEqual({
      batch_id: 'b1',
      source: 'app',
      reason: 'outage',
      input: INPUT,
      window: { start: OPTIONS.start, end: OPTIONS.end },
    });
  });

  it('says what is to be replaced', () => {
    const replacesOf = (options: Partial<SubmissionOptions>) =>
      submissionBody('b1', INPUT, { ...OPTIONS, ...options }).replaces;
    expect(replacesOf({ replacesBatch: 'old' })).toEqual({ batch_id: 'old' });
    expect(replacesOf({ replacesLive: true })).toEqual({ live: true });
    expect(mistakesOf('b1', { ...OPTIONS, replacesBatch: 'old', replacesLive: true })).toEqual([
      '--replaces-batch and --replaces-live do not go together',
    ]);
  });

  it('brings numbers and the retention exception along', () => {
    const options = { ...OPTIONS, expectedEvents: '12', maxOverlap: '0.02', ticket: 'T-1' };
    const exception = { retentionExceptionWhy: 'audit', retentionExceptionUntil: '2027-01-01' };
    expect(submissionBody('b1', INPUT, { ...options, ...exception })).toMatchObject({
      expected_events: 12,
      max_overlap: 0.02,
      ticket: 'T-1',
      retention_exception: { why: 'audit', until: '2027-01-01' },
    });
  });

  it('takes references from a file, for the API to judge', async () => {
    const dir = await mkdtemp(path.join(tmpdir(), 'backfill-references-'));
    const [file, broken, none] = ['good.json', 'broken.json', 'none.json'].map((name) => path.join(dir, name));
    const references = [{ kpi: 'daily_active_sessions', day: '2026-08-01', value: 7, source: 'warehouse' }];
    await writeFile(file as string, JSON.stringify(references));
    await writeFile(broken as string, '{"kpi"');
    expect(submissionBody('b1', INPUT, { ...OPTIONS, references: file as string })).toMatchObject({ references });
    expect(mistakesOf('b1', { ...OPTIONS, references: broken as string })).toEqual([
      expect.stringContaining('JSON list'),
    ]);
    expect(mistakesOf('', { ...OPTIONS, references: none as string })[0]).toContain('cannot be read (ENOENT)');
    await rm(dir, { recursive: true });
  });

  it('names every mistake at once', () => {
    const wrong = { start: '2026-08-01', expectedEvents: '-1', maxOverlap: '2', retentionExceptionWhy: 'x' };
    const found = mistakesOf("'; drop", { ...OPTIONS, ...wrong });
    expect(found).toHaveLength(5);
  });

  it.each([
    ['2026-08-03T00:00:00Z', 'the window start must be before end'],
    ['2026-02-30T00:00:00Z', '--start is not a time with an offset, such as 2026-08-01T00:00:00Z'],
    ['2026-08-01T00:00:00', '--start is not a time with an offset, such as 2026-08-01T00:00:00Z'],
  ])('refuses a window from %s', (start, mistake) => {
    expect(mistakesOf('b1', { ...OPTIONS, start })).toEqual([mistake]);
  });
});
