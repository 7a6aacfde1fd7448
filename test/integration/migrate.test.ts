import { migrate, readMigrations } from '@backfill/core/db/migrate';
import pg from 'pg';
import { expect, inject, it } from 'vitest';

async function emptyDatabase(name: string): Promise<string> {
  const url = new URL(inject('servers').DATABASE_URL ?? '');
  const admin = new pg.Client({ connectionString: url.href });
  await admin.connect();
  await admin.query(`create database ${name}`);
  await admin.end();
  url.pathname = `/${name}`;
  return url.href;
}

it('migrates once, however many services start at the same time', async () => {
  const connectionString = await emptyDatabase('migrate_many');
  await Promise.all(Array.from({ length: 5 }, () => migrate({ connectionString })));
  const client = new pg.Client({ connectionString });
  await client.connect();
  const { rows } = await client.query('select version from analytics.schema_migrations order by 1');
  await client.end();
  expect(rows.map((row) => row.version)).toEqual((await readMigrations()).map((migration) => migration.version));
});

it('refuses a newer schema, and an edited migration', async () => {
  const connectionString = await emptyDatabase('migrate_newer');
  const known = await readMigrations();
  await migrate({ connectionString });
  await expect(migrate({ connectionString, migrations: known.slice(0, -1) })).rejects.toThrow(
    `has migration ${known.at(-1)?.name}, which this build does not know`,
  );
  const edited = known.map((migration) => (migration.version === 2 ? { ...migration, sha256: 'other' } : migration));
  await expect(migrate({ connectionString, migrations: edited })).rejects.toThrow(/0002.*was changed/);
});
