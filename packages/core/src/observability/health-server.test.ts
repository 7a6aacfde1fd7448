import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { setImmediate as turn } from 'node:timers/promises';
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

it('looks at the servers once for all who ask meanwhile, and anew for the next', async () => {
  let looks = 0;
  const server = await startHealthServer({
    ...{ host: '127.0.0.1', port: 0, registry: new Registry() },
    isLive: () => true,
    async check() {
      looks++;
      await turn();
      return {};
    },
  });
  try {
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    const request = (connection: string) =>
      `GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: ${connection}\r\n\r\n`;
    // In one packet, they are all taken before the first look has ended.
    socket.write(request('keep-alive') + request('keep-alive') + request('close'));
    expect((await text(socket)).match(/HTTP\/1\.1 200/g)).toHaveLength(3);
    expect(looks).toBe(1);
    expect(await ask(server.url, '/readyz')).toBe('HTTP/1.1 200 OK');
    expect(looks).toBe(2);
  } finally {
    await server.close();
  }
});
