import { expect, it } from 'vitest';
import { defaultBatchId } from './default-batch-id.ts';

it.each([
  ['app', '2026-08-01T00:00:00Z', '2026-08-02T00:00:00Z', 'app-20260801-20260802'],
  ['app', '2026-08-01T00:00:00+02:00', '2026-08-01T12:30:00Z', 'app-20260731T220000-20260801T123000'],
])('names a batch after its source and window: %s %s', (source, start, end, id) => {
  expect(defaultBatchId({ source, start, end })).toBe(id);
});

it('keeps to the length of a batch id', () => {
  const batch = { source: 'a'.repeat(60), start: '2026-08-01T00:00:00Z', end: '2026-08-02T00:00:00Z' };
  expect(defaultBatchId(batch)).toHaveLength(63);
});
