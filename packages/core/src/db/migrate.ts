import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import pg from 'pg';
import { FatalError } from '../errors.ts';
import type { Queryable } from './pool.ts';

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

interface AppliedMigration {
  version: number;
  name: string;
  sha256: string;
}

async function listAppliedMigrations(db: Queryable): Promise<AppliedMigration[]> {
  const { rows } = await db.query<AppliedMigration>(
    'select version, name, sha256 from analytics.schema_migrations order by version',
  );
  return rows;
}

/** A database's schema against what this build knows. */
export interface SchemaState {
  /** Names of migrations that this build does not know: the database is newer. */
  unknown: string[];
  /** Names of migrations that were applied with another text. */
  changed: string[];
  /** What is to be applied, in order. */
  missing: Migration[];
}

function compareMigrations(applied: readonly AppliedMigration[], known: readonly Migration[]): SchemaState {
  const names = (of: (one: AppliedMigration, own: Migration | undefined) => boolean): string[] =>
    applied.filter((one) => of(one, known[one.version - 1])).map(({ name }) => name);
  return {
    unknown: names((_one, own) => own === undefined),
    changed: names((one, own) => own !== undefined && own.sha256 !== one.sha256),
    missing: known.slice(applied.length),
  };
}

/** Looks at the schema of a database, which may have none yet, and changes nothing. */
export async function readSchemaState(db: Queryable, migrations?: Migration[]): Promise<SchemaState> {
  const known = migrations ?? (await readMigrations());
  const { rows } = await db.query<{ is_there: boolean }>(
    `select to_regclass('analytics.schema_migrations') is not null as is_there`,
  );
  return compareMigrations(rows[0]?.is_there ? await listAppliedMigrations(db) : [], known);
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
  const { unknown, changed, missing } = compareMigrations(await listAppliedMigrations(client), known);
  if (unknown[0] !== undefined) {
    throw new FatalError(
      `The database has migration ${unknown[0]}, which this build does not know (its newest is ` +
        `${known.at(-1)?.name}). Start a newer build, or restore the database from before the upgrade.`,
    );
  }
  if (changed[0] !== undefined) {
    throw new FatalError(`Migration ${changed[0]} was changed after it was applied; migrations are append-only.`);
  }
  for (const migration of missing) {
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
