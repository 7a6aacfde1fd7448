import { readEnvironment } from '@backfill/core/config/environment';
import { IMPERSONAL, OBJECTS, PERSONAL_COLUMNS, TABLES } from '@backfill/core/erasure/erasure-stores';
import { prepareDatabases } from '@backfill/core/runtime/prepare-databases';
import { createRuntime } from '@backfill/core/runtime/runtime';
import { archiveLayout } from '@backfill/core/storage/layout';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestEnvironment, type TestEnvironment } from '../support/environment.ts';

// Whoever adds a table, or a kind of object, says here whether something of a person may stand in it.
let environment: TestEnvironment;
beforeAll(async () => {
  environment = await createTestEnvironment('in a database of its own');
  const runtime = createRuntime(readEnvironment('rollback', { ...environment.env, BACKFILL_CONFIG_DIR: '.' }));
  await prepareDatabases(runtime);
  await runtime.close();
});
afterAll(() => environment?.dispose());

/** Tables of a database, partitions not counted. */
async function tablesOf(pool: TestEnvironment['sql']): Promise<string[]> {
  const { rows } = await pool.query<{ name: string }>(
    `select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = 'analytics' and c.relkind in ('r', 'p') and not c.relispartition and c.relname <> 'schema_migrations'
      order by 1`,
  );
  return rows.map((row) => row.name).filter((name) => !/migration/.test(name));
}

it('knows every table', async () => {
  const tables = new Set([...(await tablesOf(environment.sql)), ...(await tablesOf(environment.keys))]);
  expect([...tables].sort()).toEqual(Object.keys(TABLES).sort());
});

it('takes no table for nobody that has a column about a person', async () => {
  const { rows } = await environment.sql.query<{ place: string; name: string }>(
    `select c.table_name || '.' || c.column_name as place, c.table_name as name
       from information_schema.columns c join information_schema.tables t using (table_schema, table_name)
      where c.table_schema = 'analytics' and t.table_type = 'BASE TABLE' and c.column_name = any ($1)`,
    [PERSONAL_COLUMNS],
  );
  const unclassified = rows.filter(
    ({ place, name }) =>
      !(place in IMPERSONAL) && TABLES[name.replace(/^(events_log|events_backfill_staging)_.*/, '$1')] === 'nobody',
  );
  expect(unclassified).toEqual([]);
  for (const place of Object.keys(IMPERSONAL)) expect(rows.map((row) => row.place)).toContain(place);
});

it('knows every kind of object', () => {
  expect(Object.keys(OBJECTS).sort()).toEqual(Object.keys(archiveLayout).sort());
});
