import type { Queryable } from '@backfill/core/db/pool';
import { readRows } from '@backfill/core/db/read-rows';
import { TextHash } from './text-hash.ts';

/** The columns of a staged row that its event id does not cover already (the id covers source, time and payload). */
export interface DigestedRow {
  event_id: string;
  event_name: string;
  schema_version: string;
  session_id: string | null;
  subject_id: string | null;
}

/** sha256 over every column of the rows to publish, fed in id order: no column can be changed unseen. */
export class RowsDigest {
  readonly #hash = new TextHash();
  #rows = 0;

  add({ event_id, event_name, schema_version, session_id, subject_id }: DigestedRow): void {
    this.#hash.add(`${JSON.stringify([event_id, event_name, schema_version, session_id, subject_id])}\n`);
    this.#rows += 1;
  }

  get rows(): number {
    return this.#rows;
  }

  /** The digest of the rows so far. */
  soFar(): string {
    return this.#hash.soFar();
  }

  /** Ends the digest. */
  hex(): string {
    return this.#hash.hex();
  }
}

const ROWS_TO_PUBLISH_SQL = `
  select event_id, event_name, schema_version, session_id, subject_id
    from analytics.backfill_rows_to_publish
   where batch_id = $1
   order by event_id`;

/** The digest of the batch's rows to publish as they are now, read on the caller's connection. */
export async function digestRowsToPublish(client: Queryable, batchId: string): Promise<string> {
  const digest = new RowsDigest();
  for await (const rows of readRows<DigestedRow>(client, ROWS_TO_PUBLISH_SQL, [batchId], 5_000)) {
    for (const row of rows) digest.add(row);
  }
  return digest.hex();
}
