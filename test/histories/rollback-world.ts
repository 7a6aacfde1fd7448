import { getBatch } from '@backfill/core/db/queries/batch-get';
import { setRollbackMode } from '@backfill/core/db/queries/batch-set-status';
import { withTransaction } from '@backfill/core/db/transaction';
import { enqueueOpenWork } from '@backfill/core/dispatch/change-status';
import { freeReleasedKeys } from '@backfill/core/dispatch/free-keys';
import type { RollbackMode } from '@backfill/core/domain/rollback-mode';
import { expect } from 'vitest';
import { COLUMNS, lineOf, type PublishWorld } from './publish-world.ts';
import type { Job, Stepper } from './stepper.ts';

/** Lines of events [from, to), each of somebody else. */
export const lines = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, at) => lineOf(from + at, `u${from + at}`));

/** What tests of a rollback do with batches and with what is live beside them. */
export function createRollbackWorld(stepper: Stepper, world: PublishWorld) {
  const { sql, keys, runtime } = stepper;

  async function publish(batchId: string, from: number, to: number): Promise<void> {
    expect(await world.submit(batchId, lines(from, to))).toBe('awaiting_publish_approval');
    await world.go(batchId);
    expect(await world.workOff(batchId)).toBe('published');
  }

  /** Events that live ingestion delivers. @returns their ids, sorted */
  async function deliverLive(from: number, to: number): Promise<string[]> {
    const name = `live-${from}`;
    await world.submit(name, lines(from, to));
    const { rows } = await sql.query<{ event_id: string }>(
      `insert into analytics.events (${COLUMNS})
       select ${COLUMNS} from analytics.events_backfill_staging where batch_id = $1 order by event_id returning event_id`,
      [name],
    );
    return rows.map(({ event_id }) => event_id).sort();
  }

  /** Every live row in full, by its id. */
  async function liveRows(): Promise<Map<string, string>> {
    const { rows } = await sql.query<{ event_id: string; row: string }>(
      'select event_id, l::text as row from analytics.events_log l where deleted_at is null order by 1',
    );
    return new Map(rows.map(({ event_id, row }) => [event_id, row]));
  }

  const proofOf = (batchId: string) =>
    world.one<Record<string, unknown> & { snapshot: Record<string, unknown> | null }>(
      `select mode, tombstoned::int, keys_freed::int, live_rows_after::int, keys_after::int, left_outside::int,
              jobs_after::int, others_before, others_after, others_recent::int, snapshot
         from analytics.backfill_rollbacks where batch_id = $1 order by rollback_id desc limit 1`,
      batchId,
    );

  const takeAway = (ids: readonly string[]) =>
    sql.query('update analytics.events_log set deleted_at = now() where event_id = any ($1) and deleted_at is null', [
      ids,
    ]);

  const suppress = (eventIds: readonly string[]) =>
    sql.query(
      `insert into analytics.privacy_suppressions (subject_id, reason)
       select distinct subject_id, 'objection' from analytics.events_log where event_id = any ($1)`,
      [eventIds],
    );

  async function keysOf(batchId: string): Promise<string[]> {
    const { rows } = await keys.query<{ event_id: string }>(
      'select event_id from analytics.backfill_event_checkpoint where batch_id = $1 order by 1',
      [batchId],
    );
    return rows.map(({ event_id }) => event_id);
  }

  /** As the services do after a rollback from psql. */
  const freeKeys = () => freeReleasedKeys(runtime.pool, runtime.keyStore);

  /** The job of a rollback that is under way. */
  async function rollbackJob(batchId: string): Promise<Job> {
    const [job] = await stepper.dueJobs(batchId);
    if (job === undefined) throw new Error(`nothing is due for ${batchId}`);
    return job;
  }

  /** How many tables of loaded snapshots there are, all of them noted. */
  async function snapshotTables(): Promise<number> {
    const { tables, loads } = await world.one<{ tables: number; loads: number }>(
      `select (select count(*)::int from pg_class where relname ~ '^backfill_snapshot_[0-9]+$') as tables,
              (select count(*)::int from analytics.backfill_snapshot_loads) as loads`,
    );
    expect(tables).toBe(loads);
    return tables;
  }

  /** Another mode than the one that a batch is being rolled back by. */
  async function askFor(batchId: string, mode: RollbackMode): Promise<void> {
    await withTransaction(runtime.pool, 'test', async (client) => {
      await setRollbackMode(client, batchId, mode, mode);
      const batch = await getBatch(client, batchId);
      if (batch !== undefined) await enqueueOpenWork(client, batch);
    });
  }

  const url = () => stepper.env.DATABASE_URL ?? '';

  return {
    ...{ publish, deliverLive, liveRows, proofOf, takeAway, suppress, keysOf, freeKeys, rollbackJob, snapshotTables },
    ...{ askFor, url },
  };
}
export type RollbackWorld = ReturnType<typeof createRollbackWorld>;
