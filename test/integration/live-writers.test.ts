import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestEnvironment, type TestEnvironment } from '../support/environment.ts';
import { waitFor } from '../support/wait-for.ts';

// Live ingestion goes on while a batch is published.
let environment: TestEnvironment;
beforeAll(async () => {
  environment = await createTestEnvironment();
});
afterAll(() => environment.dispose());

async function connect(): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: environment.env.DATABASE_URL });
  await client.connect();
  return client;
}

const write = (client: pg.Client, id: string, time: string) =>
  client.query(
    `insert into analytics.events (event_id, source, event_name, schema_version, event_ts, payload)
     values ($1, 's', 'n', '1-0-0', $2, '{}') on conflict do nothing`,
    [id, time],
  );

const waits = (pid: number) =>
  waitFor(`${pid} to wait for a lock`, async () => {
    const { rows } = await environment.sql.query(
      `select 1 from pg_stat_activity where pid = $1 and wait_event_type = 'Lock'`,
      [pid],
    );
    return rows.length > 0 ? true : undefined;
  });

it('does not fail while the partition of its day is being made, and ends up in it', async () => {
  const publisher = await connect();
  const writer = await connect();
  await write(writer, 'early', '2015-05-17T09:00:00Z');
  await publisher.query('begin');
  await publisher.query(`select analytics.ensure_event_day('2015-05-17')`);
  const { rows } = await writer.query<{ pid: number }>('select pg_backend_pid() as pid');
  const writing = write(writer, 'late', '2015-05-17T10:00:00Z');
  await waits(rows[0]?.pid ?? 0);
  await publisher.query('commit');
  expect((await writing).rowCount).toBe(1);
  const stored = await environment.sql.query(
    'select event_id, tableoid::regclass::text as leaf from analytics.events_log order by event_id',
  );
  expect(stored.rows).toEqual([
    { event_id: 'early', leaf: 'analytics.events_log_20150517' },
    { event_id: 'late', leaf: 'analytics.events_log_20150517' },
  ]);
  await publisher.end();
  await writer.end();
});

it('makes the maker of a partition give up and come back when somebody is in the way, not everybody else wait', async () => {
  const reader = await connect();
  await reader.query('begin');
  await reader.query('lock table analytics.events_log_default in access share mode');
  const publisher = await connect();
  await expect(publisher.query(`select analytics.ensure_event_day('2015-06-01')`)).rejects.toMatchObject({
    code: '55P03',
  });
  await reader.query('commit');
  await publisher.query(`select analytics.ensure_event_day('2015-06-01')`);
  await reader.end();
  await publisher.end();
});
