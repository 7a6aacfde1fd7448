import { hash } from 'node:crypto';
import { readRows } from '@backfill/core/db/read-rows';
import type { BatchReader } from '@backfill/core/dispatch/read-for-batch';
import type { DuplicateKind } from '@backfill/core/domain/duplicate-kind';
import type { GateResult } from '@backfill/core/domain/gate-result';
import { isJsonObject, type JsonValue } from '@backfill/core/domain/json';
import type { Replaces } from '@backfill/core/domain/replacement';
import { tryParseJson } from '@backfill/core/domain/try-json';
import type { Recipe } from '@backfill/core/recipe/recipe';
import { compileTaxonomyCheck } from '@backfill/core/recipe/validate-event';
import type { SampleDraw } from '../sample/sample-draw.ts';
import { bookedEvent } from './booked-event.ts';
import { EventGroup } from './event-group.ts';
import type { MultisetHash } from './multiset-hash.ts';
import { findRepeatedIds, REPEATED_IDS_SQL, type RepeatedIds } from './repeated-ids.ts';
import { type DigestedRows, RowsDigest } from './rows-digest.ts';

const STAGED_ROWS_SQL = `
  select s.event_id, s.source, s.event_name, s.schema_version, s.session_id, s.subject_id,
         to_char(s.event_ts at time zone 'UTC', 'YYYYMMDDHH24MISSMS') as event_time,
         s.payload::text as payload, s.is_duplicate, s.duplicate_kind, l.event_id is not null as is_lost, s.part_id,
         s.duplicate_kind is distinct from 'same_batch' and coalesce(l.to_publish, not s.is_duplicate) as to_publish
    from analytics.events_backfill_staging s
    left join analytics.backfill_losers l on l.loser_batch_id = s.batch_id and l.event_id = s.event_id
   where s.batch_id = $1
   order by s.event_id, s.is_duplicate, s.duplicate_kind is not distinct from 'same_batch', s.part_id, s.schema_version`;
const MAX_EXAMPLES = 5;

interface StagedRow {
  event_id: string;
  source: string;
  event_name: string;
  schema_version: string;
  event_time: string;
  session_id: string | null;
  subject_id: string | null;
  payload: string;
  is_duplicate: boolean;
  duplicate_kind: DuplicateKind | null;
  /** Recorded as lost to another batch or live ingestion. */
  is_lost: boolean;
  part_id: number;
  /** As `analytics.backfill_rows_to_publish` has it, which takes the first of an event's rows. */
  to_publish: boolean;
}

export interface RowFindings extends ToPublish {
  gates: GateResult[];
}

interface ToPublish extends DigestedRows {
  /** Their UTC days in the window, as `YYYYMMDD`. */
  days: string[];
}

const DAY_DIGITS = 8;

/** The UTC day of a time in ms since 1970, as `YYYYMMDD`. */
const dayOf = (ms: number) => new Date(ms).toISOString().slice(0, 10).replaceAll('-', '');

/** Counts and digests rows that come in id order, the first of each event. */
class RowsToPublish {
  readonly #digest = new RowsDigest();
  readonly #days = new Set<string>();
  #lastId: string | undefined;

  /** @returns false for a further row of an event */
  add(row: StagedRow): boolean {
    if (row.event_id === this.#lastId) return false;
    this.#lastId = row.event_id;
    this.#digest.add(row);
    this.#days.add(row.event_time.slice(0, DAY_DIGITS));
    return true;
  }

  /** The digest of the rows so far. */
  digestSoFar(): string {
    return this.#digest.soFar();
  }

  end({ startMs, endMs }: Recipe['window']): ToPublish {
    // Anybody can have written any time into a row, which a gate says; it need not be a day that can be stored.
    const [first, last] = [dayOf(startMs), dayOf(endMs)];
    return { ...this.#digest.end(), days: [...this.#days].filter((day) => day >= first && day <= last) };
  }
}

/** Rows with a problem: how many, and the first of them. */
class RowProblems {
  rows = 0;
  readonly examples: string[] = [];

  note(row: StagedRow, problem: string | undefined): void {
    if (problem === undefined) return;
    this.rows += 1;
    if (this.examples.length < MAX_EXAMPLES) this.examples.push(`${row.event_id} ${problem}`);
  }
}

/**
 * What is wrong with a row's columns, none of which is believed: they are projections of the payload or pinned by the
 * recipe, and the id is computed from them.
 */
function identityProblem(row: StagedRow, payload: JsonValue | undefined, { taxonomy }: Recipe): string | undefined {
  const { source, event_time: time, payload: text } = row;
  if (`${source}:${time}:\\x${hash('sha256', text, 'hex')}` !== row.event_id) return 'event_id';
  if (!isJsonObject(payload)) return 'payload';
  if (payload.event_name !== row.event_name) return 'event_name';
  if (taxonomy[row.event_name]?.version !== row.schema_version) return 'schema_version';
  if ((payload.session_id ?? null) !== row.session_id) return 'session_id';
  if ((payload.subject_id ?? null) !== row.subject_id) return 'subject_id';
  return undefined;
}

/** What the rows of a batch are measured by. */
export interface RowMeasures {
  batchId: string;
  recipe: Recipe;
  replaces: Replaces | undefined;
  minValidShare: number;
  /** Takes the event of each row, with its part. */
  ids: MultisetHash;
  /** Draws from the rows to publish. */
  sample: SampleDraw;
}

/** Reads every staged row of the batch once, in id order and bounded memory: schema, identity, digests. */
export async function measureRows(
  read: BatchReader,
  { batchId, recipe, replaces, minValidShare, ids, sample }: RowMeasures,
  signal: AbortSignal,
): Promise<RowFindings> {
  const check = compileTaxonomyCheck(recipe);
  const toPublish = new RowsToPublish();
  const invalid = new RowProblems();
  const wrongIdentity = new RowProblems();
  const group = new EventGroup();
  let staged = 0;

  const repeated = await read(async (client) => {
    for await (const rows of readRows<StagedRow>(client, STAGED_ROWS_SQL, [batchId], 1_000)) {
      signal.throwIfAborted();
      staged += rows.length;
      const counted: StagedRow[] = [];
      for (const row of rows) {
        const payload = tryParseJson(row.payload);
        invalid.note(row, check(row, payload));
        ids.add(bookedEvent(row.event_id, row.part_id));
        wrongIdentity.note(row, group.add(row) ?? identityProblem(row, payload, recipe));
        if (row.to_publish && toPublish.add(row)) counted.push(row);
      }
      sample.addBlock(counted, toPublish.digestSoFar());
    }
    return findRepeatedIds(client, batchId, recipe, replaces);
  });
  // A batch that has nothing to show for itself proves nothing.
  const validShare = staged === 0 ? 0 : (staged - invalid.rows) / staged;
  const procedure = STAGED_ROWS_SQL.trim();
  return {
    ...toPublish.end(recipe.window),
    gates: [
      {
        gate: 'schema',
        threshold: minValidShare,
        observed: validShare,
        passed: validShare >= minValidShare,
        procedure: `${procedure}\n-- each payload against its schema of the pinned taxonomy`,
        detail: { staged, invalid: invalid.rows, examples: invalid.examples },
      },
      identityGate(staged, wrongIdentity, repeated),
    ],
  };
}

function identityGate(staged: number, wrong: RowProblems, repeated: RepeatedIds): GateResult {
  const observed = wrong.rows + repeated.ids;
  const examples = [...wrong.examples, ...repeated.examples.map((id) => `${id} live twice`)];
  return {
    gate: 'identity',
    threshold: 0,
    observed,
    passed: observed === 0,
    procedure:
      `${STAGED_ROWS_SQL.trim()}\n-- each id and column computed again from the row's payload and the recipe; one row of\n` +
      '-- an event is new, or lost\n' +
      `${REPEATED_IDS_SQL.trim()}`,
    detail: { staged, problems: wrong.rows, repeated: repeated.ids, examples: examples.slice(0, MAX_EXAMPLES) },
  };
}
