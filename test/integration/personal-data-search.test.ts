import { createPool } from '@backfill/core/db/pool';
import { findPersonalData } from '@backfill/infra/demo/personal-data-search';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestEnvironment, type TestEnvironment } from '../support/environment.ts';

// The demo's claim that nothing leaked is only worth something if the search finds what did.
let environment: TestEnvironment;
beforeAll(async () => {
  environment = await createTestEnvironment();
  await environment.sql.query(
    `insert into analytics.backfill_batches
       (batch_id, source, reason, input, window_start, window_end, request, request_sha256, submitted_by)
     select id, 'app', 'outage', 's3://raw/x/', '2026-01-01Z', '2026-01-02Z', '{}', '', 'test'
       from unnest(array['leaky', 'clean', 'other']) as id`,
  );
});
afterAll(() => environment.dispose());

const PLANTED = new Set(['anna.abel1@example.com', '192.0.2.17', '2001:db8:1f::a:2b']);

async function search(batchIds: string[]) {
  const pool = createPool({
    connectionString: environment.env.DATABASE_URL ?? '',
    applicationName: 'test',
    max: 1,
    onIdleError: (error) => {
      throw error;
    },
  });
  const client = await pool.connect();
  try {
    return await findPersonalData(client, batchIds, PLANTED);
  } finally {
    client.release();
    await pool.end();
  }
}

it.each([
  ['an e-mail address', 'said Anna.Abel1@example.com.'],
  ['an encoded e-mail address', '/x?mail=anna.abel1%40example.com&y=1'],
  ['an IPv4 address', 'from 192.0.2.17'],
  ['an IPv6 address', '[2001:db8:1f::a:2b]:443'],
])('finds %s in the rows of the batches asked for, and in no others', async (_what, text) => {
  await environment.sql.query(
    `insert into analytics.backfill_quarantine (batch_id, source_file, line_no, reason)
     values ('leaky', 'x', 1, $1), ('leaky', 'x', 2, 'parse: not_json'), ('clean', 'x', 1, 'masked 192.0.2.0')`,
    [text],
  );
  expect(await search(['leaky', 'clean'])).toEqual([{ relation: 'analytics.backfill_quarantine', rows: 1 }]);
  expect(await search(['clean', 'other'])).toEqual([]);
  await environment.sql.query('delete from analytics.backfill_quarantine');
});
