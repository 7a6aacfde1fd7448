import { once } from 'node:events';
import { connect } from 'node:net';
import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { startHealthServer } from './health-server.ts';

/** The status line that a request for this target gets: fetch would not send what is no address. */
async function ask(url: string, target: string): Promise<string | undefined> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.write(`GET ${target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`);
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return bytes.toString().split('\r\n', 1)[0];
}

it.each(['//', 'http://', '//:x', '/%', '/nowhere'])('answers 404 to %s, and goes on', async (target) => {
  const server = await startHealthServer({
    ...{ host: '127.0.0.1', port: 0, registry: new Registry() },
    isLive: () => true,
    check: async () => ({}),
  });
  try {
    expect(await ask(server.url, target)).toBe('HTTP/1.1 404 Not Found');
    expect(await ask(server.url, '/healthz')).toBe('HTTP/1.1 200 OK');
  } finally {
    await server.close();
  }
});
