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

const GATE = { gate: 'duplicates', observed: 0, threshold: 0.001, passed: true };

it('prints each gate once on a pipe, when it comes', async () => {
  const written: string[] = [];
  const other = { ...GATE, gate: 'row_count', passed: false };
  const views = [
    exampleBatch({ status: 'verifying', gates: [GATE] }),
    exampleBatch({ status: 'gates_failed', gates: [GATE, other] }),
  ];
  const out = { write: (text: string) => written.push(text) };
  await watchBatches(clientWith({ b1: views }), ['b1'], out, new AbortController().signal);
  expect(written.filter((line) => line.includes('  gate '))).toEqual([
    'b1  gate passed  duplicates  0 of 0.001\n',
    'b1  gate FAILED  row_count  0 of 0.001\n',
  ]);
});

it('draws anew when the terminal gets another size, and listens no longer than it draws', async () => {
  const listeners = new Set<() => void>();
  const written: string[] = [];
  const out = {
    ...{ isTTY: true, columns: 80, write: (text: string) => written.push(text) },
    on: (_event: 'resize', listener: () => void) => listeners.add(listener),
    off: (_event: 'resize', listener: () => void) => listeners.delete(listener),
  };
  let draw = () => undefined as unknown;
  const client = clientWith({ b1: [importing, rested] });
  const open = client.open;
  client.open = async (...args) => {
    [draw = () => undefined] = [...listeners];
    return open(...args);
  };
  await watchBatches(client, ['b1'], out, new AbortController().signal);
  expect(listeners.size).toBe(0);
  out.columns = 40;
  draw();
  expect(
    Math.max(
      ...(written.at(-1) ?? '')
        .split('\n')
        .slice(1)
        .map((line) => line.length),
    ),
  ).toBeLessThan(40);
});
