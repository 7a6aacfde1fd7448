import { currentRequestId } from '../request-scope.ts';
import type { Client, Pool } from './pool.ts';

/**
 * Runs `work` in one transaction: committed when it returns, rolled back when it throws.
 *
 * `actor` is stored in the transaction setting `analytics.actor`; the status guard and the audit log read it there,
 * and the id of the request it runs on behalf of in `analytics.request_id`.
 * A connection that breaks in between is thrown away with everything it held.
 */
export async function withTransaction<T>(pool: Pool, actor: string, work: (client: Client) => Promise<T>): Promise<T> {
  return lend(pool, (client) => transact(client, actor, work), { keep: true });
}

/** A connection with temporary tables, which go with it. */
export interface Session {
  client: Client;
  /** See {@link withTransaction}; sees the temporary tables. A session ends with the first transaction that fails. */
  transact<T>(actor: string, work: (client: Client) => Promise<T>): Promise<T>;
}

/** Lends a connection of its own to work that keeps state in it. */
export async function withSession<T>(pool: Pool, work: (session: Session) => Promise<T>): Promise<T> {
  return lend(
    pool,
    (client) => work({ client, transact: (actor, inTransaction) => transact(client, actor, inTransaction) }),
    { keep: false },
  );
}

async function transact<T>(client: Client, actor: string, work: (client: Client) => Promise<T>): Promise<T> {
  await client.query('begin');
  await client.query(`select set_config('analytics.actor', $1, true), set_config('analytics.request_id', $2, true)`, [
    actor,
    currentRequestId() ?? '',
  ]);
  const result = await work(client);
  await client.query('commit');
  return result;
}

/**
 * Lends a connection; what is open on it when the work throws is rolled back.
 *
 * @param options.keep false: the connection goes with the work
 */
export async function lend<T>(
  pool: Pool,
  work: (client: Client) => Promise<T>,
  { keep }: { keep: boolean },
): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  const onError = (error: Error) => {
    broken = error;
  };
  client.on('error', onError);
  try {
    return await work(client);
  } catch (error) {
    await client.query('rollback').catch((rollbackError: Error) => {
      broken = rollbackError;
    });
    throw error;
  } finally {
    client.off('error', onError);
    client.release(broken ?? !keep);
  }
}
