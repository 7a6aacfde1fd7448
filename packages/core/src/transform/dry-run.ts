import { Readable } from 'node:stream';
import { copyIn } from '../db/copy-in.ts';
import { copyTextRow } from '../db/copy-text.ts';
import {
  createDryRunEvents,
  DRY_RUN_EVENTS_COPY,
  type DryRunDuplicates,
  type DryRunOwner,
  judgeDryRunEvents,
  listDryRunOwners,
  noteOwnedEvents,
} from '../db/queries/dry-run-events.ts';
import { createOccurrenceTables } from '../db/queries/occurrences.ts';
import { forbidWrites } from '../db/queries/session-forbid-writes.ts';
import { listSuppressedSubjects } from '../db/queries/suppression-list.ts';
import type { Balance } from '../domain/balance.ts';
import { compilePinnedRecipe } from './compile-pinned-recipe.ts';
import { loadBatch } from './load-batch.ts';
import { planRawInput } from './plan-raw-input.ts';
import { type OutcomeSink, perFile, transformAll } from './transform-all.ts';
import { TransformCounts, type TransformSummary } from './transform-counts.ts';
import type { TransformTools, TransformWork } from './transform-work.ts';

/** Event ids that are sent to the database at once. */
const ROWS_PER_COPY = 10_000;

/** What a run of the batch would give now. */
export interface DryRun {
  batch_id: string;
  source: string;
  /** Where the lines were read, and what the recipe is: pinned by the batch's plan, or made of the configuration of now. */
  read_from: 'mirror' | 'input';
  recipe: 'pinned' | 'current';
  balance: Balance;
  duplicates: Omit<DryRunDuplicates, 'inserted'>;
  /** Batches that have the duplicates of the kind `other_batch`. */
  owners: DryRunOwner[];
  summary: TransformSummary;
}

interface DryRunWork {
  work: TransformWork;
  description: Pick<DryRun, 'batch_id' | 'source' | 'read_from' | 'recipe'>;
}

async function findWork(tools: TransformTools, batchId: string): Promise<DryRunWork> {
  const { batch, isMirrored, work } = await loadBatch(tools, batchId);
  const named = { batch_id: batchId, source: batch.source };
  if (work !== undefined) {
    return { work, description: { ...named, read_from: isMirrored ? 'mirror' : 'input', recipe: 'pinned' } };
  }
  const window = { startMs: batch.window_start.getTime(), endMs: batch.window_end.getTime() };
  const { input, source, request } = batch;
  const planned = await planRawInput(tools, { input, source, window, request }, batchId);
  return { work: planned, description: { ...named, read_from: 'input', recipe: 'current' } };
}

function balanceOf(summary: TransformSummary, { inserted }: DryRunDuplicates): Balance {
  const { read, accepted, suppressed, expired, filtered, quarantined } = summary;
  return { read, inserted, duplicate: accepted - inserted, suppressed, expired, filtered, quarantined };
}

/**
 * Runs a whole batch without storing anything: the session is read-only but for a temporary table of event ids, with
 * which duplicates are found as an import would find them now.
 *
 * @throws {FatalError} when there is no such batch, or it could not be planned or read.
 */
export async function dryRunBatch(tools: TransformTools, batchId: string): Promise<DryRun> {
  const { db, keys } = tools;
  await createDryRunEvents(db);
  await createOccurrenceTables(db);
  await forbidWrites(db);
  const { work, description } = await findWork(tools, batchId);
  const suppressed = new Set(await listSuppressedSubjects(db));
  const counts = new TransformCounts();
  const runtime = { keys, observer: counts.pii, isSuppressed: (subjectId: string) => suppressed.has(subjectId) };
  const transformerOf = perFile((chunk) => compilePinnedRecipe(work.recipe, runtime, chunk));
  let rows: string[] = [];
  const send = async () => {
    await copyIn(db, DRY_RUN_EVENTS_COPY, Readable.from([rows.join('')]));
    rows = [];
  };
  const sink: OutcomeSink = {
    add(chunk, line, outcome) {
      counts.add(chunk.source_file, line.lineNo, outcome);
      if (outcome.outcome !== 'accepted') return;
      rows.push(copyTextRow([outcome.event.eventId, new Date(outcome.event.eventTsMs).toISOString()]));
    },
    flush: async () => (rows.length >= ROWS_PER_COPY ? send() : undefined),
  };
  await transformAll(work, transformerOf, sink, tools.signal);
  await send();
  await noteOwnedEvents(db, tools.keyDb, batchId);
  const judged = await judgeDryRunEvents(db, batchId);
  const summary = counts.summary();
  const { same_batch, other_batch, live } = judged;
  return {
    ...description,
    balance: balanceOf(summary, judged),
    duplicates: { same_batch, other_batch, live },
    owners: await listDryRunOwners(db, batchId),
    summary,
  };
}
