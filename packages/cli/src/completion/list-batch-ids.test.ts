import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import type { Settings } from '../settings.ts';
import { listBatchIds } from './list-batch-ids.ts';

const none = { read: 0, inserted: 0, duplicate: 0, suppressed: 0, expired: 0, filtered: 0, quarantined: 0 };

const batch = (batchId: string) => ({
  batch_id: batchId,
  source: 'app',
  status: 'published',
  status_reason: null,
  plan_hash: null,
  window: { start: '2026-01-01T00:00:00Z', end: '2026-01-02T00:00:00Z' },
  created_at: '2026-01-03T00:00:00Z',
  progress: { chunks_total: 0, chunks_done: 0, lines_read: 0 },
  balance: none,
  duplicates: { same_batch: 0, other_batch: 0, live: 0 },
  canary_passed: null,
  import_limit: null,
  gates: [],
  approvals: [],
  missing_approvals: null,
  rollback: null,
});

it('offers nothing to a shell that no batch can be called', async () => {
  const named = ['good-1', '$(touch x)', '`id`', 'a b', "a';id;'", 'a\nb', '-rf', ''];
  const page = JSON.stringify({ batches: named.map(batch), next_cursor: null });
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(page);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const settings = { apiUrl: () => `http://127.0.0.1:${port}`, token: () => 'viewer' } as unknown as Settings;
  try {
    expect(await listBatchIds(settings, new AbortController().signal)).toEqual([
      { value: 'good-1', description: 'published' },
    ]);
  } finally {
    server.close();
  }
});
