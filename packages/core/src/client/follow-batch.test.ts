import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { BatchStatus } from '../domain/batch-status.ts';
import { createApiClient } from './api-client.ts';
import { ApiProblem, ApiUnreachable } from './api-problem.ts';
import { exampleBatch } from './example-batch.ts';
import { followBatch } from './follow-batch.ts';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

async function serve(listener: RequestListener): Promise<string> {
  server = createServer(listener);
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const event = (status: BatchStatus) => `event: batch\ndata: ${JSON.stringify(exampleBatch({ status }))}\n\n`;

async function statuses(baseUrl: string): Promise<string[]> {
  const client = createApiClient({ baseUrl, token: 't' });
  const seen: string[] = [];
  for await (const { status } of followBatch(client, 'b1', AbortSignal.timeout(10_000))) seen.push(status);
  return seen;
}

describe('followBatch', () => {
  it('ends when the batch rests, and connects again after a lost connection', async () => {
    let connections = 0;
    const url = await serve((request, answer) => {
      expect(request.url).toBe('/v1/batches/b1/progress');
      expect(request.headers.authorization).toBe('Bearer t');
      connections += 1;
      answer.writeHead(200, { 'content-type': 'text/event-stream' });
      if (connections > 1) answer.end(event('importing') + event('awaiting_publish_approval') + event('publishing'));
      else answer.write(event('planning'), () => answer.destroy());
    });
    expect(await statuses(url)).toEqual(['planning', 'importing', 'awaiting_publish_approval']);
  });

  it('tells a refusal and a missing API at once', async () => {
    const url = await serve((_request, answer) => answer.writeHead(404).end('{"title":"Not found"}'));
    await expect(statuses(url)).rejects.toThrow(ApiProblem);
    await new Promise((resolve) => server?.close(resolve));
    await expect(statuses(url)).rejects.toThrow(ApiUnreachable);
  });
});
