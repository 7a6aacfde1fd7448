import { Readable } from 'node:stream';
import { copyIn } from '@backfill/core/db/copy-in';
import { IMPORT_PART_COLUMNS } from '@backfill/core/db/import-part-row';
import type { Client } from '@backfill/core/db/pool';
import { BATCH } from '../import/bench-batch.ts';
import { blocks, copyPart } from '../import/finished-rows.ts';
import type { PartRows } from '../import/part-objects.ts';
import { binaryRows } from './binary-rows.ts';

/** A way to import parts, measured on tables of its own. */
export interface Candidate {
  what: string;
  /** Parts in one transaction. */
  parts: number;
  /** Done before the clock starts, with what the transformer would have done. */
  prepare(part: PartRows): Buffer;
  load(client: Client, leaf: string, part: PartRows, prepared: Buffer): Promise<void>;
}

const COLUMNS = IMPORT_PART_COLUMNS.join(', ');
/** How both the lineage of a part and its accepted lines name the file: see finishRows. */
const fileOf = ({ partId }: PartRows) => `events-${partId}`;

const send = (client: Client, sql: string, bytes: Buffer) =>
  copyIn(client, sql, Readable.from(blocks(bytes), { objectMode: false }));

async function setPart(client: Client, { partId }: PartRows): Promise<void> {
  await client.query(`select set_config('analytics.part_id', $1, true)`, [String(partId)]);
}

async function claimFromLedger(client: Client, part: PartRows): Promise<void> {
  await client.query(
    `insert into analytics.backfill_event_checkpoint (event_id, batch_id, part_id)
     select distinct event_id, batch_id, $3::bigint from analytics.backfill_event_checkpoint_raw
      where batch_id = $1 and source_file = $2 order by event_id on conflict do nothing`,
    [BATCH.batchId, fileOf(part), part.partId],
  );
}

async function traceFromLedger(client: Client, part: PartRows): Promise<void> {
  await client.query(
    `insert into analytics.backfill_lineage (batch_id, event_id, source_file, line_no)
     select batch_id, event_id, source_file, line_no from analytics.backfill_event_checkpoint_raw
      where batch_id = $1 and source_file = $2`,
    [BATCH.batchId, fileOf(part)],
  );
}

/** Keys from the ledger, the object as it is, lineage from the ledger. */
function keysFirst(options = ''): Candidate['load'] {
  return async (client, leaf, part, prepared) => {
    await setPart(client, part);
    await claimFromLedger(client, part);
    await send(client, `copy analytics.${leaf} (${COLUMNS}) from stdin ${options}`, prepared);
    await traceFromLedger(client, part);
  };
}

const asItIs = ({ object }: PartRows) => object;

/** What the importer once did: copy, judge by joins, insert from there. */
const throughTemporaryTable: Candidate['load'] = async (client, leaf, part, prepared) => {
  await setPart(client, part);
  await client.query(
    `create temporary table part_rows (n bigint generated always as identity, event_id text collate "C", event_name text,
       schema_version text, event_ts timestamptz(3), session_id text, subject_id text, payload json) on commit drop`,
  );
  await send(client, `copy part_rows (${COLUMNS}) from stdin`, prepared);
  await client.query('analyze part_rows');
  await client.query(
    `create temporary table claimed on commit drop as
     with claim as (
       insert into analytics.backfill_event_checkpoint (event_id, batch_id, part_id)
       select distinct event_id, $1, $2::bigint from part_rows order by event_id on conflict do nothing returning event_id)
     select event_id from claim`,
    [BATCH.batchId, part.partId],
  );
  await client.query(
    `insert into analytics.${leaf} (${COLUMNS}, is_duplicate, duplicate_kind)
     select ${IMPORT_PART_COLUMNS.map((column) => `r.${column}`).join(', ')}, c.event_id is null,
            case when c.event_id is null then 'other_batch' end
       from part_rows r left join claimed c using (event_id) order by r.n`,
  );
  await traceFromLedger(client, part);
};

/** The limit first; each is compared with it. */
export const CANDIDATES: readonly Candidate[] = [
  {
    what: 'the limit: finished rows',
    parts: 1,
    prepare: () => Buffer.alloc(0),
    load: (client, leaf, part) => copyPart(client, leaf, part),
  },
  { what: 'keys first, then the object as it is', parts: 1, prepare: asItIs, load: keysFirst() },
  { what: 'the same, four parts in a transaction', parts: 4, prepare: asItIs, load: keysFirst() },
  {
    what: 'keys first, then the object in binary',
    parts: 1,
    prepare: ({ object }) => binaryRows(object),
    load: keysFirst('(format binary)'),
  },
  { what: 'temporary table, then insert-select', parts: 1, prepare: asItIs, load: throughTemporaryTable },
];
