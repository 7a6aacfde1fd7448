import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import pg from 'pg';
import { FatalError } from '../errors.ts';

const MIGRATIONS = new URL('../../migrations/', import.meta.url);
/** Those of the dedup store's own database. */
export const CHECKPOINT_MIGRATIONS = new URL('checkpoint/', MIGRATIONS);
/** Any constant does, as long as every version of the software takes the same one. */
const MIGRATION_LOCK = 7_403_112_201;

export interface Migration {
  version: number;
  name: string;
  sql: string;
  sha256: string;
}

/** The migrations this build knows, in order. Files are named `NNNN-what.sql`, numbered without gaps from 1. */
export async function readMigrations(directory: URL = MIGRATIONS): Promise<Migration[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.sql')).sort();
  return Promise.all(
    names.map(async (name, index) => {
      const version = Number(name.slice(0, 4));
      if (version !== index + 1) throw new FatalError(`migration ${name} is out of sequence`);
      const sql = await readFile(new URL(name, directory), 'utf8');
      return { version, name, sql, sha256: createHash('sha256').update(sql).digest('hex') };
    }),
  );
}

async function applyMissing(client: pg.Client, known: Migration[]): Promise<void> {
  await client.query(`
    create schema if not exists analytics;
    create table if not exists analytics.schema_migrations (
      version integer primary key,
      name text not null,
      sha256 text not null,
      applied_at timestamptz not null default now()
    )`);
  const { rows } = await client.query<{ version: number; name: string; sha256: string }>(
    'select version, name, sha256 from analytics.schema_migrations order by version',
  );
  for (const applied of rows) {
    const own = known[applied.version - 1];
    if (own === undefined) {
      throw new FatalError(
        `The database has migration ${applied.name}, which this build does not know (its newest is ` +
          `${known.at(-1)?.name}). Start a newer build, or restore the database from before the upgrade.`,
      );
    }
    if (own.sha256 !== applied.sha256) {
      throw new FatalError(`Migration ${applied.name} was changed after it was applied; migrations are append-only.`);
    }
  }
  for (const migration of known.slice(rows.length)) {
    await client.query('begin');
    await client.query(migration.sql);
    await client.query('insert into analytics.schema_migrations (version, name, sha256) values ($1, $2, $3)', [
      migration.version,
      migration.name,
      migration.sha256,
    ]);
    await client.query('commit');
  }
}

/**
 * Brings the database to this build's schema. Safe to call from any number of services at once: an advisory lock
 * lets one work and the others find nothing to do.
 *
 * @throws {FatalError} when the database is newer than this build, or an applied migration was edited.
 */
export async function migrate(options: { connectionString: string; migrations?: Migration[] }): Promise<void> {
  const known = options.migrations ?? (await readMigrations());
  const client = new pg.Client({ connectionString: options.connectionString, application_name: 'backfill-migrate' });
  await client.connect();
  try {
    await client.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await applyMissing(client, known);
  } finally {
    await client.end();
  }
}
