import { Registry } from 'prom-client';
import type { KeyStore } from '../db/key-store.ts';
import type { Queryable } from '../db/pool.ts';
import { listPreparedKeys } from '../db/queries/prepared-keys.ts';
import { getLastRetentionRun } from '../db/queries/retention-runs.ts';
import {
  countKeyReleases,
  listOpenIncidentCounts,
  readErasureCounts,
  readUnsealedAudit,
} from '../db/queries/safeguard-metrics.ts';
import { gaugesOf } from './create-gauge.ts';

/** Kinds of incidents that always have a series. */
const INCIDENT_KINDS = [
  'crash_loop',
  'gates_failed',
  'late_publish',
  'publish_miscounted',
  'rollback_stuck',
  'signed_results_changed',
] as const;

async function setIncidents(db: Queryable, registry: Registry): Promise<void> {
  const gauge = gaugesOf(registry);
  const open = gauge('backfill_open_incidents', 'Incidents that are not closed, by kind.', ['kind']);
  const overdue = gauge('backfill_overdue_post_mortems', 'Open incidents whose post-mortem was due.');
  for (const kind of INCIDENT_KINDS) open.set({ kind }, 0);
  let late = 0;
  for (const row of await listOpenIncidentCounts(db)) {
    open.set({ kind: row.kind }, row.incidents);
    late += row.overdue;
  }
  overdue.set(late);
}

/**
 * What is promised to people and auditors, as PostgreSQL has it now: the audit log's seals, erasures, incidents, and what
 * retention has found past its limit.
 *
 * @returns Prometheus' text format
 */
export async function renderSafeguardMetrics(db: Queryable): Promise<string> {
  const registry = new Registry();
  const gauge = gaugesOf(registry);
  const audit = await readUnsealedAudit(db);
  gauge('backfill_audit_unsealed_entries', 'Entries of the audit log that wait for their seal.').set(audit.entries);
  gauge(
    'backfill_audit_oldest_unsealed_age_seconds',
    'Age of the oldest entry of the audit log that waits for its seal; 0 when there is none.',
  ).set(audit.seconds);
  const erasures = await readErasureCounts(db);
  const people = gauge('backfill_erasures', 'Erasures that are open, or ended with something left.', ['state']);
  people.set({ state: 'open' }, erasures.open);
  people.set({ state: 'incomplete' }, erasures.incomplete);
  gauge('backfill_oldest_open_erasure_age_seconds', 'Age of the oldest open erasure; 0 when there is none.').set(
    erasures.seconds,
  );
  const overAge = (await getLastRetentionRun(db))?.over_age;
  gauge('backfill_raw_over_age_objects', 'Objects of the raw bucket past their limit, at the last retention run.').set(
    overAge?.objects ?? 0,
  );
  await setIncidents(db, registry);
  return registry.metrics();
}

/**
 * What two-phase commits have left between events and keys; all 0 where both are in one database.
 *
 * @returns Prometheus' text format
 */
export async function renderKeyMetrics(db: Queryable, keyStore: KeyStore): Promise<string> {
  const registry = new Registry();
  const gauge = gaugesOf(registry);
  const prepared = keyStore.isSeparate ? await listPreparedKeys(keyStore.pool) : [];
  const oldest = Math.max(0, ...prepared.map(({ age_seconds }) => age_seconds));
  gauge('backfill_prepared_key_transactions', 'Transactions of keys that are prepared and not finished.').set(
    prepared.length,
  );
  gauge(
    'backfill_oldest_prepared_key_transaction_age_seconds',
    'Age of the oldest transaction of keys that is prepared and not finished; 0 when there is none.',
  ).set(oldest);
  gauge('backfill_pending_key_releases', 'Rollbacks whose keys, in another database, are not freed yet.').set(
    await countKeyReleases(db),
  );
  return registry.metrics();
}
