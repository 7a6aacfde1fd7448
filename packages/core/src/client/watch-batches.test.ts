import { expect, it } from 'vitest';
import type { ApiClient } from './api-client.ts';
import type { BatchDetail } from './batch-view.ts';
import { exampleBatch } from './example-batch.ts';
import { watchBatches } from './watch-batches.ts';

/** An API whose streams hold these batches. */
function clientWith(streams: Record<string, BatchDetail[]>): ApiClient {
  const unused = () => Promise.reject(new Error('not expected'));
  return {
    get: unused,
    post: unused,
    download: unused,
    open: async (path) => {
      const batches = streams[path.split('/')[3] ?? ''] ?? [];
      return new Response(batches.map((batch) => `data: ${JSON.stringify(batch)}\n\n`).join(''));
    },
  };
}

const importing = exampleBatch();
const moved = exampleBatch({ progress: { ...importing.progress, lines_read: 1_500 } });
const rested = exampleBatch({ status: 'awaiting_publish_approval' });
const halted = exampleBatch({ batch_id: 'b2', status: 'halted' });

it('prints a line per step on a pipe and returns the batches as they rest', async () => {
  const written: string[] = [];
  const out = { write: (text: string) => written.push(text) };
  const client = clientWith({ b1: [importing, moved, rested], b2: [halted] });
  const batches = await watchBatches(client, ['b1', 'b2'], out, new AbortController().signal);
  expect(batches).toEqual([rested, halted]);
  expect(written.map((line) => line.split('  ').slice(0, 2).join(' ').trim()).sort()).toEqual([
    'b1 awaiting_publish_approval',
    'b1 importing',
    'b2 halted',
  ]);
});

it('draws the bars of all batches on a terminal', async () => {
  const written: string[] = [];
  const out = { isTTY: true, columns: 80, write: (text: string) => written.push(text) };
  await watchBatches(clientWith({ b1: [rested], b2: [halted] }), ['b1', 'b2'], out, new AbortController().signal);
  expect(written.at(-1)).toContain('b1  awaiting_publish_approval');
  expect(written.at(-1)).toContain('b2  halted');
});
