import pg from 'pg';

/** What a query needs: the pool, or a client inside a transaction. */
export type Queryable = Pick<pg.ClientBase, 'query'>;
export type Client = pg.PoolClient;
export type Pool = pg.Pool;

// int8 and numeric counts as numbers: nothing here counts beyond 2^53.
const INT8_OID = 20;
const NUMERIC_OID = 1700;
const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === INT8_OID || oid === NUMERIC_OID
      ? Number
      : pg.types.getTypeParser(oid, format as 'text')) as pg.CustomTypesConfig['getTypeParser'],
};

export interface PoolOptions {
  connectionString: string;
  /** Shows in pg_stat_activity. */
  applicationName: string;
  /** Most connections this process opens: its share of the connection budget. */
  max: number;
  /** After how many seconds a transaction that nothing happens in is ended; 30 when absent. */
  idleTransactionSeconds?: number;
  /** Called for errors of idle connections, which have no caller to tell. */
  onIdleError(error: Error): void;
}

/**
 * A process that hangs or is frozen must not hold others up for ever: its locks go when it idles in a transaction, and
 * nobody waits for a lock without end. See also checkBatchFence.
 */
const SESSION_SETTINGS = [
  '-c timezone=UTC',
  '-c search_path=pg_catalog,pg_temp',
  '-c lock_timeout=30s',
  '-c tcp_keepalives_idle=10',
  '-c tcp_keepalives_interval=5',
  '-c tcp_keepalives_count=3',
];

/** Opens nothing yet; connections are made on first use. Sessions are pinned to UTC and the system's search path. */
export function createPool(options: PoolOptions): Pool {
  const pool = new pg.Pool({
    connectionString: options.connectionString,
    application_name: options.applicationName,
    max: options.max,
    connectionTimeoutMillis: 10_000,
    options: [
      ...SESSION_SETTINGS,
      `-c idle_in_transaction_session_timeout=${options.idleTransactionSeconds ?? 30}s`,
    ].join(' '),
    types,
  });
  pool.on('error', options.onIdleError);
  return pool;
}
