import { getBatch } from '@backfill/core/db/queries/batch-get';
import type { PublishRow } from '@backfill/core/db/queries/publish-steps';
import pg from 'pg';
import { eventLine, WINDOW } from '../support/app-events.ts';
import { waitFor } from '../support/wait-for.ts';
import type { Stepper } from './stepper.ts';

export const COLUMNS = 'event_id, source, event_name, schema_version, event_ts, session_id, subject_id, payload';

/** The line of an event of somebody. */
export function lineOf(event: number, user: string): string {
  return JSON.stringify({ ...JSON.parse(eventLine(event)), user: { id: user } });
}

/** What tests of a publish do with batches, one job after the other. */
export function createPublishWorld(stepper: Stepper) {
  const { sql } = stepper;

  async function statusOf(batchId: string): Promise<string | undefined> {
    return (await getBatch(stepper.runtime.pool, batchId))?.status;
  }

  /** Runs all that the batch's status calls for. @returns its status then */
  async function workOff(batchId: string): Promise<string | undefined> {
    for (let [due] = await stepper.dueJobs(batchId); due !== undefined; [due] = await stepper.dueJobs(batchId)) {
      await stepper.run(due);
    }
    return statusOf(batchId);
  }

  async function submit(batchId: string, lines: readonly string[], request = {}): Promise<string | undefined> {
    const text = lines.map((line) => `${line}\n`).join('');
    await stepper.submit({ batchId, source: 'app', window: WINDOW, request }, { 'a.ndjson': text });
    return workOff(batchId);
  }

  async function go(batchId: string): Promise<void> {
    if (!(await stepper.change(batchId, ['awaiting_publish_approval'], 'publishing'))) {
      throw new Error(`${batchId} does not wait for its publish`);
    }
  }

  async function one<Row extends pg.QueryResultRow>(query: string, ...values: unknown[]): Promise<Row> {
    const { rows } = await sql.query<Row>(query, values);
    if (rows[0] === undefined) throw new Error(`nothing is found by ${query}`);
    return rows[0];
  }

  const publishes = async (batchId: string) =>
    (
      await sql.query<PublishRow>(
        `select *, newly_suppressed::int, newly_live::int, published::int, withheld::int, counted::int, snapshot_rows::int,
                snapshot_bytes::int
           from analytics.backfill_publishes where batch_id = $1 order by publish_id`,
        [batchId],
      )
    ).rows;

  const liveRows = async (batchId: string) =>
    (await one<{ n: number }>('select count(*)::int as n from analytics.events where batch_id = $1', batchId)).n;

  const freezes = async () =>
    (
      await sql.query<{ batch_id: string; reason: string }>(
        'select batch_id, reason from analytics.backfill_freezes where lifted_at is null order by freeze_id',
      )
    ).rows;

  async function report(batchId: string): Promise<Record<string, unknown>> {
    const { store, config } = stepper.runtime;
    const body = await store.get(config.storage.archiveBucket, `reports/${batchId}/report.json`);
    return JSON.parse(Buffer.concat(await body.toArray()).toString());
  }

  /** A connection of its own, on which something is left open. */
  async function connect(): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: stepper.env.DATABASE_URL });
    await client.connect();
    return client;
  }

  /** Waits until the verifier waits for somebody's transaction. */
  const waiting = () =>
    waitFor('the publish to wait', async () => {
      const { rowCount } = await sql.query(
        `select 1 from pg_stat_activity where datname = current_database() and application_name = 'backfill-verifier'
            and wait_event = 'transactionid'`,
      );
      return rowCount === 1 || undefined;
    });

  return { statusOf, workOff, submit, go, one, publishes, liveRows, freezes, report, connect, waiting };
}
export type PublishWorld = ReturnType<typeof createPublishWorld>;
