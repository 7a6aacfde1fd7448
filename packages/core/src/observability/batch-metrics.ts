import { Gauge, Registry } from 'prom-client';
import type { Queryable } from '../db/pool.ts';
import { listBatchBalances } from '../db/queries/balance-by-batch-list.ts';
import {
  listGateVerdicts,
  listMeteredBatches,
  listOldestWork,
  listOpenFreezes,
  readBacklogBytes,
} from '../db/queries/batch-metrics.ts';
import { duplicateRatio } from '../domain/duplicate-ratio.ts';

/** Kinds of work that always have a series, so that an empty queue reads 0 instead of nothing. */
const STAGES = ['plan', 'mirror', 'transform', 'import', 'verify', 'publish'] as const;

function createGauges(registry: Registry) {
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Gauge({ name, help, labelNames, registers: [registry] });
  return {
    info: gauge('backfill_batch_info', '1 for the status that a batch has.', ['batch_id', 'status']),
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
    frozen: gauge('backfill_freeze_age_seconds', 'Since when readers must not trust a batch’s window.', ['batch_id']),
    backlog: gauge('backfill_backlog_bytes', 'Stored bytes of batches under way that wait for a stage.', ['stage']),
    oldest: gauge(
      'backfill_oldest_open_chunk_age_seconds',
      'Age of the oldest piece of work that is not done, by the kind of work; 0 when there is none.',
      ['stage'],
    ),
  };
}

async function setBatches(db: Queryable, gauges: ReturnType<typeof createGauges>): Promise<void> {
  const batches = await listMeteredBatches(db);
  const ids = batches.map(({ batch_id }) => batch_id);
  const balances = new Map((await listBatchBalances(db, ids)).map((row) => [row.batch_id, row]));
  for (const { batch_id, status, max_overlap } of batches) {
    gauges.info.set({ batch_id, status }, 1);
    const balance = balances.get(batch_id);
    if (balance === undefined) continue;
    const { inserted, same_batch, other_batch, live } = balance;
    const overlap = other_batch + live;
    const staged = inserted + same_batch + overlap;
    gauges.staged.set({ batch_id }, staged);
    for (const [kind, events] of Object.entries({ same_batch, other_batch, live })) {
      gauges.duplicates.set({ batch_id, kind }, events);
    }
    gauges.ratio.set({ batch_id }, duplicateRatio({ staged, same_batch, overlap }, max_overlap ?? 0));
  }
  for (const { batch_id, gate, passed } of await listGateVerdicts(db, ids)) {
    gauges.gates.set({ batch_id, gate }, passed ? 1 : 0);
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
  for (const stage of STAGES) gauges.oldest.set({ stage }, 0);
  for (const { stage, seconds } of await listOldestWork(db)) gauges.oldest.set({ stage }, seconds);
  return registry.metrics();
}
