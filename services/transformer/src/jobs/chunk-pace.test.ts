import { DeferError } from '@backfill/core/errors';
import type { KeyedRuntime } from '@backfill/core/runtime/keyed-runtime';
import { afterEach, expect, it, vi } from 'vitest';
import { ChunkPace } from './chunk-pace.ts';

afterEach(() => {
  vi.useRealTimers();
});

/** Nothing waits for its import, and other batches have work. */
const context = {
  config: { partsAhead: 20, sliceMs: 0 },
  pool: { query: async () => ({ rows: [{ chunks: 1, parts: 0, found: true }], rowCount: 1 }) },
  producers: { 'raw-chunks': { countWaiting: async () => 1 } },
} as unknown as KeyedRuntime;

it('gives way after its slice of time, also when the clock is set back', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  const pace = new ChunkPace(context, 'b');
  pace.beginParts();
  vi.setSystemTime(Date.now() - 86_400_000);
  await new Promise((resolve) => setTimeout(resolve, 20));
  await expect(pace.afterPart(new AbortController().signal)).rejects.toThrow(DeferError);
});
