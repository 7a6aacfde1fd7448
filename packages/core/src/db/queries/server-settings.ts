import type { Queryable } from '../pool.ts';

/** What a PostgreSQL server and database say about themselves, as a session of ours finds it. */
export interface ServerSettings {
  /** As `server_version_num`: 180004. */
  version: number;
  encoding: string;
  fsync: string;
  full_page_writes: string;
  synchronous_commit: string;
  autovacuum: string;
  session_replication_role: string;
  is_read_only: boolean;
  /** As PostgreSQL writes it: `0`, `30s`. */
  statement_timeout: string;
  /** `0` too where the server does not know it. */
  transaction_timeout: string;
  max_connections: number;
  /** Connections kept for superusers and others with a claim to them. */
  reserved_connections: number;
  /** Sessions of clients now, in all databases. */
  sessions: number;
}

/** Looks at the settings that this software depends on. */
export async function getServerSettings(db: Queryable): Promise<ServerSettings> {
  const { rows } = await db.query<ServerSettings>(
    `select current_setting('server_version_num')::int as version,
            current_setting('server_encoding') as encoding,
            current_setting('fsync') as fsync,
            current_setting('full_page_writes') as full_page_writes,
            current_setting('synchronous_commit') as synchronous_commit,
            current_setting('autovacuum') as autovacuum,
            current_setting('session_replication_role') as session_replication_role,
            pg_is_in_recovery() or current_setting('default_transaction_read_only')::boolean as is_read_only,
            current_setting('statement_timeout') as statement_timeout,
            coalesce(current_setting('transaction_timeout', true), '0') as transaction_timeout,
            current_setting('max_connections')::int as max_connections,
            current_setting('superuser_reserved_connections')::int
              + coalesce(current_setting('reserved_connections', true)::int, 0) as reserved_connections,
            (select count(*) from pg_stat_activity where backend_type = 'client backend') as sessions`,
  );
  if (rows[0] === undefined) throw new Error('the server says nothing about itself');
  return rows[0];
}

/** What time it is there. */
export async function getServerClock(db: Queryable): Promise<Date> {
  const { rows } = await db.query<{ at: Date }>('select clock_timestamp() as at');
  if (rows[0] === undefined) throw new Error('the server has no time');
  return rows[0].at;
}
