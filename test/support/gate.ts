import { once } from 'node:events';
import net from 'node:net';

/** A way to a server that can be shut: for its clients the server is stopped then. */
export interface Gate {
  /** The address of the server, by way of the gate. */
  url: string;
  /** Cuts what goes through it, and refuses what comes. */
  shut(): Promise<void>;
  open(): Promise<void>;
}

/** @param serverUrl with host and port; the address by way of the gate keeps the rest of it */
export async function createGate(serverUrl: string): Promise<Gate> {
  const target = new URL(serverUrl);
  const sockets = new Set<net.Socket>();
  const server = net.createServer((client) => {
    const onward = net.connect(Number(target.port), target.hostname);
    client.pipe(onward).pipe(client);
    for (const socket of [client, onward]) {
      sockets.add(socket);
      // The other end learns of it by the end of its stream.
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        onward.destroy();
      });
    }
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as net.AddressInfo;
  const url = new URL(serverUrl);
  url.hostname = '127.0.0.1';
  url.port = String(port);
  return {
    // As the server's address was written: with or without the slash that URL adds.
    url: serverUrl.endsWith('/') ? url.href : url.href.replace(/\/$/, ''),
    async shut() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
    async open() {
      await once(server.listen(port, '127.0.0.1'), 'listening');
    },
  };
}
