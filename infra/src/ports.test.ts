import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { isFree, PortBook } from './ports.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'backfill-ports-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('gives the port of the last time while it is free, and another when it is not', async () => {
  const file = path.join(folder, 'again.json');
  const first = await new PortBook(file).take('api-1');
  expect(await new PortBook(file).take('api-1')).toBe(first);

  const server = net.createServer().listen(first, '127.0.0.1');
  await once(server, 'listening');
  expect(await isFree(first)).toBe(false);
  const other = await new PortBook(file).take('api-1');
  server.close();
  expect(other).not.toBe(first);
  expect(await new PortBook(file).take('api-1')).toBe(other);
});

it('never gives one port twice', async () => {
  const book = new PortBook(path.join(folder, 'many.json'));
  const ports = await Promise.all(Array.from({ length: 50 }, (_, n) => book.take(`importer-${n}`)));
  expect(new Set(ports).size).toBe(50);
});
