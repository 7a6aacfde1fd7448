import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { from as copyFrom } from 'pg-copy-streams';
import type { Client } from './pool.ts';

/** Streams rows in COPY text format into a table, within the client's transaction. */
export async function copyIn(client: Client, statement: string, rows: Readable): Promise<void> {
  await pipeline(rows, client.query(copyFrom(statement)));
}
