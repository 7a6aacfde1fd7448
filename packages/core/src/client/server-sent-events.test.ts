import { describe, expect, it } from 'vitest';
import { type ServerSentEvent, serverSentEvents } from './server-sent-events.ts';

async function read(...chunks: (string | Uint8Array)[]): Promise<ServerSentEvent[]> {
  const bytes = chunks.map((chunk) => (typeof chunk === 'string' ? new TextEncoder().encode(chunk) : chunk));
  const events: ServerSentEvent[] = [];
  for await (const event of serverSentEvents(ReadableStream.from(bytes))) events.push(event);
  return events;
}

describe('serverSentEvents', () => {
  it('reads events, whatever the chunks', async () => {
    expect(await read('event: batch\ndata: {"a":1}\n\n: comment\n\nda', 'ta:x\r\ndata: y\r\n\r\n')).toEqual([
      { event: 'batch', data: '{"a":1}' },
      { event: 'message', data: 'x\ny' },
    ]);
  });

  it('puts a character together that two chunks share', async () => {
    const bytes = new TextEncoder().encode('data: ä\n\n');
    expect(await read(bytes.slice(0, 7), bytes.slice(7))).toEqual([{ event: 'message', data: 'ä' }]);
  });

  it('drops an event that was cut off', async () => {
    expect(await read('data: 1\n\ndata: 2\n')).toEqual([{ event: 'message', data: '1' }]);
  });
});
