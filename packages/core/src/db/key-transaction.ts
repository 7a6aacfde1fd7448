import { crashPoint } from '../crash-point.ts';
import { DeferError } from '../errors.ts';
import type { KeyStore } from './key-store.ts';
import type { Client, Pool } from './pool.ts';
import { decideKeys, insertCommitDecision, type KeyDecision } from './queries/key-decision.ts';
import { holdKeyLayout } from './queries/key-layout.ts';
import { finishKeys, type KeyWork, newGid, prepareKeys } from './queries/prepared-keys.ts';
import { lend, withTransaction } from './transaction.ts';

/** How long one database's side may wait for the other's. The pool of the keys has the same. */
const IDLE_TIMEOUT = '60s';
/** How long a decision waits for a process that holds it uncommitted. */
const DECISION_LOCK_TIMEOUT = '1s';

/** The dedup store's side of a transaction over events and keys. */
export interface KeyTransaction {
  readonly isSeparate: boolean;
  /**
   * Where the keys are: the transaction itself when that is the same database. In another one, its transaction begins
   * with the first call; it may idle for a minute at most.
   */
  open(): Promise<Client>;
  /**
   * To be called when all is written: makes sure that the keys commit if the events do. After it comes nothing but the
   * last check of the fence.
   */
  prepare(): Promise<void>;
}

export interface KeyTransactionOptions {
  /** Of the events' database. */
  pool: Pool;
  keyStore: KeyStore;
  /** See {@link withTransaction}. */
  actor: string;
  /** Begins the names of the transaction's crash points: `<step>:written`, `<step>:prepared`, `<step>:decided`. */
  step: string;
  work: KeyWork;
}

/** @throws {DeferError} when this process and the events' database disagree about where the dedup store is. */
async function requireLayout(client: Client, isSeparate: boolean): Promise<void> {
  if ((await holdKeyLayout(client)) === isSeparate) return;
  const where = isSeparate ? 'is with the events' : 'is in another database';
  throw new DeferError(`the dedup store ${where}: CHECKPOINT_DATABASE_URL of this service is out of date`, 10_000);
}

/** Finishes prepared keys as was decided, or aborts them where nothing was. Safe to repeat, by anybody. */
export async function settleKeys(pool: Pool, keyStore: KeyStore, gid: string): Promise<KeyDecision> {
  // Committed before anything follows from it.
  const decision = await withTransaction(pool, 'dedup-store', async (client) => {
    await client.query(`select set_config('lock_timeout', '${DECISION_LOCK_TIMEOUT}', true)`);
    return decideKeys(client, gid);
  });
  await finishKeys(keyStore.pool, gid, decision);
  return decision;
}

async function inTwoPhases<T>(
  { pool, keyStore, actor, step, work }: KeyTransactionOptions,
  keyClient: Client,
  run: (client: Client, keys: KeyTransaction) => Promise<T>,
): Promise<T> {
  const gid = newGid(work);
  let begun: Promise<unknown> | undefined;
  let isWritten = false;
  let mayBePrepared = false;
  const open = async () => {
    begun ??= keyClient.query('begin');
    await begun;
    return keyClient;
  };
  try {
    const result = await withTransaction(pool, actor, async (client) => {
      // It idles while the keys are claimed in the other database.
      await client.query(`select set_config('idle_in_transaction_session_timeout', '${IDLE_TIMEOUT}', true)`);
      await requireLayout(client, true);
      const prepare = async () => {
        isWritten = true;
        if (begun === undefined) return;
        await insertCommitDecision(client, gid);
        crashPoint(`${step}:written`);
        mayBePrepared = true;
        await prepareKeys(keyClient, gid);
        crashPoint(`${step}:prepared`);
      };
      const done = await run(client, { isSeparate: true, open, prepare });
      if (!isWritten) throw new Error('the keys of a transaction were not prepared');
      return done;
    });
    crashPoint(`${step}:decided`);
    // From here on it is done; what fails now is finished by the resolver.
    if (mayBePrepared) await finishKeys(keyClient, gid, 'committed').catch(() => undefined);
    return result;
  } catch (error) {
    // The resolver would find it, but others wait for these keys. The error is the first one in any case.
    if (mayBePrepared) await settleKeys(pool, keyStore, gid).catch(() => undefined);
    throw error;
  }
}

/**
 * Runs `run` in one transaction over events and keys: all of it is committed when it returns, nothing when it throws.
 * Where the keys have a database of their own, it is two-phase commit: the keys are prepared, and the commit of the
 * events, which holds the decision, decides for both. Locks are taken in the events' database first, then on keys; who
 * holds keys waits in the events' database only for others that hold keys too.
 */
export async function withKeyTransaction<T>(
  options: KeyTransactionOptions,
  run: (client: Client, keys: KeyTransaction) => Promise<T>,
): Promise<T> {
  const { pool, keyStore, actor } = options;
  if (keyStore.isSeparate) {
    return lend(keyStore.pool, (keyClient) => inTwoPhases(options, keyClient, run), { keep: true });
  }
  return withTransaction(pool, actor, async (client) => {
    await requireLayout(client, false);
    return run(client, { isSeparate: false, open: async () => client, prepare: async () => undefined });
  });
}
