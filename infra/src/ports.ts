import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { writePrivateFile } from './state-dir.ts';

// Below the ranges from which Linux and macOS take the local ports of outgoing connections: a port
// from those could be taken by any connection while a service restarts.
const FIRST = 20_000;
const LAST = 32_000;
const ATTEMPTS = 200;

/** Hands out ports of 127.0.0.1 by name: the one used last time when it is still free. */
export class PortBook {
  readonly #file: string;
  readonly #ports: Map<string, number>;
  readonly #given = new Set<number>();

  constructor(file: string) {
    this.#file = file;
    this.#ports = new Map(Object.entries(readPorts(file)));
  }

  /** A free port for this name, remembered for the next start. Throws when none is found. */
  async take(name: string): Promise<number> {
    const last = this.#ports.get(name);
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const port = attempt === 0 && last !== undefined ? last : randomInt(FIRST, LAST);
      if (this.#given.has(port)) continue;
      this.#given.add(port);
      if (!(await isFree(port))) continue;
      this.#ports.set(name, port);
      writePrivateFile(this.#file, `${JSON.stringify(Object.fromEntries(this.#ports), null, 2)}\n`);
      return port;
    }
    throw new Error(`found no free port on 127.0.0.1 for ${name} in ${ATTEMPTS} attempts`);
  }
}

/** True when a server could listen on this port of 127.0.0.1 now. */
export async function isFree(port: number): Promise<boolean> {
  const server = net.createServer();
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(false);
      else reject(error);
    });
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => {
      server.close(() => resolve(true));
    });
  });
}

function readPorts(file: string): Record<string, number> {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Record<string, number>;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {};
    throw error;
  }
}
