import { createHash } from 'node:crypto';
import type { Pool } from '@backfill/core/db/pool';
import { eventId } from '@backfill/core/domain/event-id';
import type { GateResult } from '@backfill/core/domain/gate-result';
import type { Recipe } from '@backfill/core/recipe/recipe';
import { compileTaxonomyCheck } from '@backfill/core/recipe/validate-event';
import QueryStream from 'pg-query-stream';
import { RowsDigest } from './rows-digest.ts';

const STAGED_ROWS_SQL = `
  select event_id, source, event_name, schema_version, event_ts, session_id, subject_id, payload::text as payload,
         is_duplicate
    from analytics.events_backfill_staging
   where batch_id = $1
   order by event_id, is_duplicate`;
const MAX_EXAMPLES = 5;

interface StagedRow {
  event_id: string;
  source: string;
  event_name: string;
  schema_version: string;
  event_ts: Date;
  session_id: string | null;
  subject_id: string | null;
  payload: string;
  is_duplicate: boolean;
}

export interface RowFindings {
  gates: GateResult[];
  /** Rows to publish. */
  rowCount: number;
  /** sha256 over the sorted ids of the rows to publish, each with a line end. */
  checksum: string;
  /** sha256 over every column of the rows to publish, in id order: no column can be changed unseen. */
  rowsDigest: string;
}

/** What is wrong with a row's columns: they are projections of the payload, and the id is computed from it. */
function identityProblem(row: StagedRow): string | undefined {
  if (eventId(row.source, row.event_ts.getTime(), row.payload) !== row.event_id) return 'event_id';
  const payload = JSON.parse(row.payload) as Record<string, unknown>;
  if ((payload.session_id ?? null) !== row.session_id) return 'session_id';
  if ((payload.subject_id ?? null) !== row.subject_id) return 'subject_id';
  return undefined;
}

/** Reads every staged row of the batch once, in id order and bounded memory: schema, identity, digests. */
export async function measureRows(
  pool: Pool,
  batchId: string,
  recipe: Recipe,
  minValidShare: number,
  signal: AbortSignal,
): Promise<RowFindings> {
  const check = compileTaxonomyCheck(recipe);
  const ids = createHash('sha256');
  const digest = new RowsDigest();
  const invalid: string[] = [];
  const wrongIdentity: string[] = [];
  let staged = 0;
  let invalidRows = 0;
  let identityProblems = 0;
  let rowCount = 0;
  let lastId: string | undefined;

  const client = await pool.connect();
  let failed = true;
  try {
    const rows = client.query(new QueryStream(STAGED_ROWS_SQL, [batchId], { batchSize: 1_000 }));
    for await (const row of rows as AsyncIterable<StagedRow>) {
      if (staged % 1_000 === 0) signal.throwIfAborted();
      staged += 1;
      const violation = check(row);
      if (violation !== undefined) {
        invalidRows += 1;
        if (invalid.length < MAX_EXAMPLES) invalid.push(`${row.event_id} ${violation}`);
      }
      const isRepeated = !row.is_duplicate && row.event_id === lastId;
      const problem = isRepeated ? 'staged twice as new' : identityProblem(row);
      if (problem !== undefined) {
        identityProblems += 1;
        if (wrongIdentity.length < MAX_EXAMPLES) wrongIdentity.push(`${row.event_id} ${problem}`);
      }
      if (row.is_duplicate) continue;
      lastId = row.event_id;
      rowCount += 1;
      ids.update(`${row.event_id}\n`);
      digest.add(row);
    }
    failed = false;
  } finally {
    client.release(failed);
  }
  // A batch that has nothing to show for itself proves nothing.
  const validShare = staged === 0 ? 0 : (staged - invalidRows) / staged;
  const procedure = STAGED_ROWS_SQL.trim();
  return {
    rowCount,
    checksum: ids.digest('hex'),
    rowsDigest: digest.hex(),
    gates: [
      {
        gate: 'schema',
        threshold: minValidShare,
        observed: validShare,
        passed: validShare >= minValidShare,
        procedure: `${procedure}\n-- each payload against its schema of the pinned taxonomy`,
        detail: { staged, invalid: invalidRows, examples: invalid },
      },
      {
        gate: 'identity',
        threshold: 0,
        observed: identityProblems,
        passed: identityProblems === 0,
        procedure: `${procedure}\n-- each id computed again from its row; no id twice among the rows to publish`,
        detail: { staged, problems: identityProblems, examples: wrongIdentity },
      },
    ],
  };
}
