import type { KeyStore } from '../db/key-store.ts';
import { CHECKPOINT_MIGRATIONS, migrate, readMigrations } from '../db/migrate.ts';
import type { Pool } from '../db/pool.ts';
import { getKeyLayout, lockKeyLayout, setKeyLayout } from '../db/queries/key-layout.ts';
import { adoptKeyStore, getKeyDatabase } from '../db/queries/key-store-owner.ts';
import { listPreparedKeys } from '../db/queries/prepared-keys.ts';
import { withTransaction } from '../db/transaction.ts';
import type { Finding } from '../domain/finding.ts';
import { FatalError } from '../errors.ts';
import { formatFindings } from '../text/format-findings.ts';
import { requireAuditKey } from './check-audit.ts';
import { doubtFindings, type KeyStoreFacts, keyStoreFindings } from './key-store-findings.ts';
import type { Runtime } from './runtime.ts';

/** Asks both databases. */
async function findKeyStoreFacts(pool: Pool, keyStore: KeyStore, prepares: number): Promise<KeyStoreFacts> {
  const layout = await getKeyLayout(pool);
  const database = keyStore.isSeparate ? await getKeyDatabase(keyStore.pool) : undefined;
  return { layout, database, prepares };
}

function refuse(facts: KeyStoreFacts): void {
  const findings = keyStoreFindings(facts);
  if (findings.length > 0) throw new FatalError(formatFindings('dedup store', findings).join('\n'));
}

/**
 * Asks both databases whether this process may work with its dedup store.
 *
 * @param prepares how many transactions it prepares at once
 * @throws {FatalError} saying what to do.
 */
export async function requireKeyStore(pool: Pool, keyStore: KeyStore, prepares: number): Promise<KeyStoreFacts> {
  const facts = await findKeyStoreFacts(pool, keyStore, prepares);
  refuse(facts);
  return facts;
}

/** Everything that is wrong with the dedup store now. */
export async function findKeyStoreProblems(pool: Pool, keyStore: KeyStore): Promise<Finding[]> {
  const findings = keyStoreFindings(await findKeyStoreFacts(pool, keyStore, 1));
  const prepared = keyStore.isSeparate ? await listPreparedKeys(keyStore.pool) : [];
  return [...findings, ...doubtFindings(prepared.map(({ age_seconds }) => age_seconds))];
}

/**
 * Brings the schema of both databases up to date, and sees to it that the environment and the events' database agree
 * about where the dedup store is and which key the audit log has. While either is empty, the environment decides.
 *
 * @throws {FatalError} saying what to do, when they do not agree, or the dedup store's server cannot prepare
 *   transactions.
 */
export async function prepareDatabases({ config, pool, keyStore }: Pick<Runtime, 'config' | 'pool' | 'keyStore'>) {
  await migrate({ connectionString: config.databaseUrl });
  await requireAuditKey(pool, config.auditKey);
  const facts = await requireKeyStore(pool, keyStore, config.service === 'importer' ? config.concurrency : 1);
  const { layout } = facts;
  if (layout === undefined) throw new FatalError('The events database does not say where its dedup store is.');
  if (config.checkpointDatabaseUrl !== undefined) {
    const migrations = await readMigrations(CHECKPOINT_MIGRATIONS);
    await migrate({ connectionString: config.checkpointDatabaseUrl, migrations });
    const owner = await adoptKeyStore(keyStore.pool, layout.events_id);
    refuse({ ...facts, database: facts.database && { ...facts.database, events_id: owner } });
  }
  if (layout.is_separate === keyStore.isSeparate) return;
  const isSet = await withTransaction(pool, config.service, async (client) => {
    await lockKeyLayout(client);
    return setKeyLayout(client, keyStore.isSeparate);
  });
  if (!isSet) await requireKeyStore(pool, keyStore, facts.prepares);
}
