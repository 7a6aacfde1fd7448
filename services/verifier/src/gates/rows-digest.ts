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

/** Rows to publish, in id order. */
export interface DigestedRows {
  rowCount: number;
  /** sha256 over their ids, each with a line end. */
  checksum: string;
  /** sha256 over every column: none can be changed unseen. */
  rowsDigest: string;
}

/** Counts and digests rows, fed in id order. */
export class RowsDigest {
  readonly #ids = new TextHash();
  readonly #rows = new TextHash();
  #rowCount = 0;

  add({ event_id, event_name, schema_version, session_id, subject_id }: DigestedRow): void {
    this.#ids.add(`${event_id}\n`);
    this.#rows.add(`${JSON.stringify([event_id, event_name, schema_version, session_id, subject_id])}\n`);
    this.#rowCount += 1;
  }

  /** The digest of the rows so far. */
  soFar(): string {
    return this.#rows.soFar();
  }

  end(): DigestedRows {
    return { rowCount: this.#rowCount, checksum: this.#ids.hex(), rowsDigest: this.#rows.hex() };
  }
}

const ROWS_TO_PUBLISH_SQL = `
  select event_id, event_name, schema_version, session_id, subject_id
    from analytics.backfill_rows_to_publish
   where batch_id = $1
   order by event_id`;

/** Digests the batch's rows to publish as they are now, read on the caller's connection. */
export async function digestRowsToPublish(
  client: Queryable,
  batchId: string,
  signal: AbortSignal,
): Promise<DigestedRows> {
  const digest = new RowsDigest();
  for await (const rows of readRows<DigestedRow>(client, ROWS_TO_PUBLISH_SQL, [batchId], 5_000)) {
    signal.throwIfAborted();
    for (const row of rows) digest.add(row);
  }
  return digest.end();
}
