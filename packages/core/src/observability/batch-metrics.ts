import { Registry } from 'prom-client';
import { CONTRACTS } from '../contracts/contracts.ts';
import type { Queryable } from '../db/pool.ts';
import { type BalanceRow, listBatchBalances } from '../db/queries/balance-by-batch-list.ts';
import {
  listGateVerdicts,
  listMeteredBatches,
  listOpenFreezes,
  listOpenWorkByStage,
  listPublishDelays,
  readBacklogBytes,
} from '../db/queries/batch-metrics.ts';
import { listProgress, NO_PROGRESS, type Progress } from '../db/queries/batch-view-progress-list.ts';
import { OUTCOMES } from '../domain/balance.ts';
import { duplicateRatio } from '../domain/duplicate-ratio.ts';
import { gaugesOf } from './create-gauge.ts';

/** Kinds of work that always have a series, so that an empty queue reads 0 instead of nothing. */
const STAGES = Object.values(CONTRACTS)
  .filter(({ name }) => name !== 'maintenance')
  .flatMap(({ jobs }) => Object.keys(jobs));

function createGauges(registry: Registry) {
  const gauge = gaugesOf(registry);
  return {
    info: gauge('backfill_batch_info', '1 for the status that a batch has.', ['batch_id', 'status']),
    lines: gauge('backfill_batch_lines', 'Raw lines of a batch whose outcome is final, by outcome.', [
      'batch_id',
      'outcome',
    ]),
    pieces: gauge(
      'backfill_batch_pieces',
      'Files of a batch to mirror, chunks to transform and parts to import, open or done.',
      ['batch_id', 'piece', 'state'],
    ),
    staged: gauge('backfill_staged_events', 'Events of a batch that are imported into staging.', ['batch_id']),
    duplicates: gauge('backfill_duplicate_events', 'Staged events that somebody else delivered too, by whom.', [
      'batch_id',
      'kind',
    ]),
    ratio: gauge(
      'backfill_duplicate_ratio',
      'Repeats inside a batch, and overlap beyond what it may have, as a share of its staged events.',
      ['batch_id'],
    ),
    gates: gauge('backfill_gate_passed', '1 when a gate of the last verification has passed, else 0.', [
      'batch_id',
      'gate',
    ]),
    visible: gauge(
      'backfill_publish_visible_seconds',
      'From the go of a batch’s publish until readers saw its events; until now while they do not.',
      ['batch_id'],
    ),
    visibleLimit: gauge('backfill_publish_visible_limit_seconds', 'How long that may take by the batch’s policy.', [
      'batch_id',
    ]),
    frozen: gauge('backfill_freeze_age_seconds', 'Since when readers must not trust a batch’s window.', ['batch_id']),
    backlog: gauge('backfill_backlog_bytes', 'Stored bytes of batches under way that wait for a stage.', ['stage']),
    open: gauge('backfill_open_jobs', 'Pieces of work that are not done, by the kind of work.', ['stage']),
    oldest: gauge(
      'backfill_oldest_open_chunk_age_seconds',
      'Age of the oldest piece of work that is not done, by the kind of work; 0 when there is none.',
      ['stage'],
    ),
  };
}

type Gauges = ReturnType<typeof createGauges>;

function setBalance(gauges: Gauges, balance: BalanceRow, maxOverlap: number): void {
  const { batch_id, inserted, same_batch, other_batch, live } = balance;
  const overlap = other_batch + live;
  const staged = inserted + same_batch + overlap;
  gauges.staged.set({ batch_id }, staged);
  for (const [kind, events] of Object.entries({ same_batch, other_batch, live })) {
    gauges.duplicates.set({ batch_id, kind }, events);
  }
  gauges.ratio.set({ batch_id }, duplicateRatio({ staged, same_batch, overlap }, maxOverlap));
  const lines = { ...balance, duplicate: same_batch + overlap };
  for (const outcome of OUTCOMES) gauges.lines.set({ batch_id, outcome }, lines[outcome]);
}

function setPieces(gauges: Gauges, batch_id: string, progress: Progress): void {
  const pieces = {
    file: [progress.files_total, progress.files_mirrored],
    chunk: [progress.chunks_total, progress.chunks_done],
    part: [progress.parts_total, progress.parts_imported],
  } as const;
  for (const [piece, [total, done]] of Object.entries(pieces)) {
    gauges.pieces.set({ batch_id, piece, state: 'done' }, done);
    gauges.pieces.set({ batch_id, piece, state: 'open' }, total - done);
  }
}

async function setBatches(db: Queryable, gauges: Gauges): Promise<void> {
  const batches = await listMeteredBatches(db);
  const ids = batches.map(({ batch_id }) => batch_id);
  const balances = new Map((await listBatchBalances(db, ids)).map((row) => [row.batch_id, row]));
  const progress = await listProgress(db, ids);
  for (const { batch_id, status, max_overlap } of batches) {
    gauges.info.set({ batch_id, status }, 1);
    setPieces(gauges, batch_id, progress.get(batch_id) ?? NO_PROGRESS);
    const balance = balances.get(batch_id);
    if (balance !== undefined) setBalance(gauges, balance, max_overlap ?? 0);
  }
  for (const { batch_id, gate, passed } of await listGateVerdicts(db, ids)) {
    gauges.gates.set({ batch_id, gate }, passed ? 1 : 0);
  }
  for (const { batch_id, seconds, limit_seconds } of await listPublishDelays(db, ids)) {
    gauges.visible.set({ batch_id }, seconds);
    gauges.visibleLimit.set({ batch_id }, limit_seconds);
  }
}

/**
 * The metrics about batches as the ledger has them now: whatever was restarted or lost since. Series of a batch end a day
 * after it was published or taken back.
 *
 * @returns Prometheus' text format
 */
export async function renderBatchMetrics(db: Queryable): Promise<string> {
  const registry = new Registry();
  const gauges = createGauges(registry);
  await setBatches(db, gauges);
  for (const { batch_id, seconds } of await listOpenFreezes(db)) gauges.frozen.set({ batch_id }, seconds);
  const { transform, import: toImport } = await readBacklogBytes(db);
  gauges.backlog.set({ stage: 'transform' }, transform);
  gauges.backlog.set({ stage: 'import' }, toImport);
  for (const stage of STAGES) {
    gauges.open.set({ stage }, 0);
    gauges.oldest.set({ stage }, 0);
  }
  for (const { stage, jobs, seconds } of await listOpenWorkByStage(db)) {
    gauges.open.set({ stage }, jobs);
    gauges.oldest.set({ stage }, seconds);
  }
  return registry.metrics();
}
