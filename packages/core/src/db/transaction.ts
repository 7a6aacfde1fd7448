import type { Client, Pool } from './pool.ts';

/**
 * Runs `work` in one transaction: committed when it returns, rolled back when it throws.
 *
 * `actor` is stored in the transaction setting `analytics.actor`; the status guard and the audit log read it there.
 * A connection that breaks in between is thrown away with everything it held.
 */
export async function withTransaction<T>(pool: Pool, actor: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  const onError = (error: Error) => {
    broken = error;
  };
  client.on('error', onError);
  try {
    await client.query('begin');
    await client.query(`select set_config('analytics.actor', $1, true)`, [actor]);
    const result = await work(client);
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch((rollbackError: Error) => {
      broken = rollbackError;
    });
    throw error;
  } finally {
    client.off('error', onError);
    client.release(broken);
  }
}
