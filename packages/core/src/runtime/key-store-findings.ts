import type { KeyLayout } from '../db/queries/key-layout.ts';
import type { KeyDatabase } from '../db/queries/key-store-owner.ts';
import type { Finding } from '../domain/finding.ts';

/** What the two databases say, and what is asked of them. */
export interface KeyStoreFacts {
  /** Undefined where the events' database has no schema yet. */
  layout: KeyLayout | undefined;
  /** The database of CHECKPOINT_DATABASE_URL; undefined where that is not set. */
  database: KeyDatabase | undefined;
  /** How many transactions this process prepares at once. */
  prepares: number;
}

const SETTING = 'CHECKPOINT_DATABASE_URL';

function preparedFindings({ max_prepared }: KeyDatabase, prepares: number): Finding[] {
  if (max_prepared >= prepares) return [];
  const why =
    max_prepared === 0
      ? 'so that nothing can be prepared for two-phase commit'
      : `but this process alone prepares up to ${prepares} at once`;
  const problem = `max_prepared_transactions of its server is ${max_prepared}, ${why}`;
  const remedy =
    'write max_prepared_transactions = 50 into its postgresql.conf and restart it (at least the IMPORTER_CONCURRENCY of all importers together)';
  return [{ subject: SETTING, problem, remedy }];
}

function ownerFindings({ has_batches, events_id }: KeyDatabase, layout: KeyLayout | undefined): Finding[] {
  if (has_batches) {
    const remedy = 'point it to an empty database, or leave it out to keep the dedup store with the events';
    return [{ subject: SETTING, problem: 'it names a database that holds batches', remedy }];
  }
  if (events_id === null || events_id === layout?.events_id) return [];
  const problem = 'it names the dedup store of another events database than DATABASE_URL';
  return [
    { subject: SETTING, problem, remedy: 'point it to the one that belongs to DATABASE_URL, or to an empty one' },
  ];
}

function layoutFindings({ layout, database }: KeyStoreFacts): Finding[] {
  if (layout === undefined || !layout.has_keys) return [];
  const remedy = 'set it as it was then: a dedup store can only be moved while it is empty';
  if (!layout.is_separate) {
    if (database === undefined) return [];
    const problem = 'it is set, but there are keys of imported batches in DATABASE_URL';
    return [{ subject: SETTING, problem, remedy: 'leave it out: a dedup store can only be moved while it is empty' }];
  }
  if (database === undefined) {
    return [
      { subject: SETTING, problem: 'it is not set, but the keys of imported batches are in another database', remedy },
    ];
  }
  if (database.events_id !== null) return [];
  return [
    { subject: SETTING, problem: 'it names a new database, but there are keys of imported batches in another', remedy },
  ];
}

/** Why a process must not work with a dedup store; empty when it may. Pure. */
export function keyStoreFindings(facts: KeyStoreFacts): Finding[] {
  const { layout, database, prepares } = facts;
  const own =
    database === undefined ? [] : [...preparedFindings(database, prepares), ...ownerFindings(database, layout)];
  return [...own, ...layoutFindings(facts)];
}

/** Prepared transactions that the resolver should have finished long ago. */
export function doubtFindings(ageSeconds: readonly number[]): Finding[] {
  const old = ageSeconds.filter((seconds) => seconds > 60).length;
  if (old === 0) return [];
  const problem = `${old} prepared ${old === 1 ? 'transaction has' : 'transactions have'} been in doubt for more than a minute`;
  const remedy =
    'start the services, which finish them; if they run, their log says why they cannot ("keys are in doubt")';
  return [{ subject: SETTING, problem, remedy }];
}
