import { CHECKPOINT_MIGRATIONS, readMigrations, readSchemaState, type SchemaState } from '@backfill/core/db/migrate';
import type { Finding } from '@backfill/core/domain/finding';
import type { Check } from './check.ts';

function findings(subject: string, { unknown, changed, missing }: SchemaState): Finding[] {
  const newest = unknown.at(-1);
  const [first] = missing;
  return [
    ...(newest === undefined
      ? []
      : [
          {
            subject,
            problem: `its schema has the migration ${newest}, which this build does not know`,
            remedy: 'start a newer build, or restore the database from before the upgrade',
          },
        ]),
    ...changed.map((name) => ({
      subject,
      problem: `the migration ${name} was applied with another text than it has in this build`,
      remedy: 'take the build that the database was made with, or the one released after it',
    })),
    ...(first === undefined
      ? []
      : [
          {
            subject,
            problem: `${missing.length} migrations are pending, from ${first.name} on`,
            remedy: 'start a service of this build (npm start): each applies what is missing before it begins to work',
          },
        ]),
  ];
}

/** Schema version against this build's, of both databases. */
export const schema: Check = {
  name: 'schema',
  needs: ['database'],
  async find({ pool, keyStore }) {
    const events = findings('DATABASE_URL', await readSchemaState(pool));
    if (!keyStore.isSeparate) return events;
    const known = await readMigrations(CHECKPOINT_MIGRATIONS);
    return [...events, ...findings('CHECKPOINT_DATABASE_URL', await readSchemaState(keyStore.pool, known))];
  },
};
