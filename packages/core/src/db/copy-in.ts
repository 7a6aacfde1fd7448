import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { from as copyFrom } from 'pg-copy-streams';
import type { Client } from './pool.ts';

/**
 * Streams rows in COPY text format into a table, within the client's transaction.
 *
 * @returns rows copied
 */
export async function copyIn(client: Client, statement: string, rows: Readable): Promise<number> {
  const copy = client.query(copyFrom(statement));
  await pipeline(rows, copy);
  return copy.rowCount;
}
