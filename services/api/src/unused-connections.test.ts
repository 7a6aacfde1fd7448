import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, it } from 'vitest';
import { watchUnusedConnections } from './unused-connections.ts';

it('closes connections over which nothing was asked, and no others', async () => {
  const server = createServer((_request, answer) => answer.write('begun'));
  const closeUnused = watchUnusedConnections(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  const asking = connect(port, '127.0.0.1');
  asking.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await once(asking, 'data');
  const unused = connect(port, '127.0.0.1');
  await once(server, 'connection');

  closeUnused();
  await once(unused, 'close');
  expect(asking.closed).toBe(false);
  asking.destroy();
  server.close();
  await once(server, 'close');
});
