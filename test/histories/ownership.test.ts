import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WINDOW } from '../support/app-events.ts';
import { createConfigDir, withoutApprovals } from '../support/config-dir.ts';
import { KEY_LAYOUTS } from '../support/environment.ts';
import { waitFor } from '../support/wait-for.ts';
import { createStepper, type Stepper } from './stepper.ts';
import { createWalk, fileOf, type Walk } from './walk.ts';

// Short histories of who owns an event, job by job: orders that a running pipeline hardly ever takes.
let config: Awaited<ReturnType<typeof createConfigDir>>;
beforeAll(async () => {
  config = await createConfigDir((policy) => {
    withoutApprovals(policy);
    Object.assign(policy.gates.default, { duplicate_ratio: 1, max_overlap: 1, max_newly_suppressed: 1 });
  });
});
afterAll(() => config.remove());

describe.each(KEY_LAYOUTS)('dedup store %s', (layout) => {
  let stepper: Stepper;
  let walk: Walk;
  beforeEach(async () => {
    stepper = await createStepper(layout, { BACKFILL_CONFIG_DIR: config.dir, TRANSFORMER_PART_LINES: '2' });
    walk = createWalk(stepper);
  });
  afterEach(() => stepper.dispose());

  it('publishes what a batch lost to one that delivers it no more in its next attempt', async () => {
    await walk.verify('owner', [0, 1]);
    await walk.verify('heir', [1, 2]);
    await walk.rollBack('owner');
    await stepper.upload('owner', fileOf([0]));
    expect(await stepper.resume('owner')).toBe(true);
    await walk.workOff('owner');
    await walk.publish('owner');
    expect(await walk.workOff('heir')).toBe('awaiting_publish_approval');
    await walk.publish('heir');
    expect(await walk.live()).toEqual({ 0: 'owner', 1: 'heir', 2: 'heir' });
  });

  it('sends a batch back to its gates whose owner is taken back while it waits to be published', async () => {
    await walk.verify('owner', [0, 1]);
    await walk.publish('owner');
    await walk.verify('heir', [1, 2]);
    await walk.toPublishing('heir');
    await walk.rollBack('owner');
    expect(await walk.workOff('heir')).toBe('awaiting_publish_approval');
    await walk.publish('heir');
    expect(await walk.live()).toEqual({ 1: 'heir', 2: 'heir' });
  });

  it('sends a batch back to its gates when its owner publishes in its next attempt', async () => {
    await walk.verify('owner', [0, 1]);
    await walk.verify('heir', [1, 2]);
    await walk.rollBack('owner');
    expect(await stepper.resume('owner')).toBe(true);
    await walk.workOff('owner');
    await walk.publish('owner');
    expect(await walk.statusOf('heir')).toBe('verifying');
    await walk.workOff('heir');
    await walk.publish('heir');
    expect(await walk.live()).toEqual({ 0: 'owner', 1: 'owner', 2: 'heir' });
  });

  it('sends a batch back to its gates when a third publishes what it meant to take over', async () => {
    await walk.verify('owner', [0]);
    await walk.verify('heir', [0, 1]);
    await walk.rollBack('owner');
    await walk.verify('third', [0]);
    await walk.publish('third');
    expect(await walk.statusOf('heir')).toBe('verifying');
  });

  it('is measured again when an owner publishes during its verification', async () => {
    await walk.verify('owner', [0, 1]);
    await stepper.submit({ batchId: 'heir', source: 'app', window: WINDOW }, fileOf([1, 2]));
    let [job] = await stepper.dueJobs('heir');
    for (; job !== undefined && job.kind !== 'verify'; [job] = await stepper.dueJobs('heir')) await stepper.run(job);
    if (job === undefined) throw new Error('nothing to verify');
    const other = await stepper.sql.connect();
    await other.query('begin');
    await other.query('lock table analytics.backfill_gate_results in exclusive mode');
    const verified = stepper.run(job);
    verified.catch(() => undefined);
    await waitFor('the verification to store its results', async () => {
      const { rowCount } = await stepper.sql.query(
        `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      return (rowCount ?? 0) > 0 || undefined;
    });
    await walk.publish('owner');
    await other.query('rollback');
    other.release();
    await expect(verified).rejects.toThrow('published or taken back meanwhile');
    expect(await walk.statusOf('heir')).toBe('verifying');
    expect(await stepper.run(job)).toBe(true);
    await walk.publish('heir');
    expect(await walk.live()).toEqual({ 0: 'owner', 1: 'owner', 2: 'heir' });
  });

  /** Runs `during` while a publish that takes over waits for the key of an event. */
  async function whileTakingOver(batchId: string, during: () => Promise<void>): Promise<boolean> {
    const other = await stepper.keys.connect();
    try {
      await other.query('begin');
      await other.query('select 1 from analytics.backfill_event_checkpoint for update');
      const [job] = await stepper.dueJobs(batchId);
      if (job === undefined) throw new Error('nothing to publish');
      const published = stepper.run(job);
      published.catch(() => undefined);
      await waitFor('the publish to wait for a key', async () => {
        const { rowCount } = await stepper.keys.query(
          `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
        );
        return (rowCount ?? 0) > 0 || undefined;
      });
      try {
        await during();
      } finally {
        await other.query('rollback');
      }
      return await published;
    } finally {
      other.release();
    }
  }

  it('lets itself be halted at once while it takes over', async () => {
    await walk.verify('owner', [0, 1]);
    await walk.verify('heir', [1, 2]);
    await walk.toPublishing('heir');
    const published = await whileTakingOver('heir', async () => {
      const person = await stepper.sql.connect();
      try {
        await person.query(`set lock_timeout = '5s'`);
        await person.query(`update analytics.backfill_batches set status = 'halted' where batch_id = 'heir'`);
      } finally {
        person.release(true);
      }
    });
    expect(published).toBe(false);
    expect(await walk.live()).toEqual({});
  });

  it('takes over from an owner that is being rolled back', async () => {
    await walk.verify('owner', [0, 1]);
    await walk.verify('heir', [1, 2]);
    await walk.toPublishing('heir');
    let rolledBack: Promise<string | undefined> | undefined;
    const published = await whileTakingOver('heir', async () => {
      await stepper.change('owner', ['awaiting_publish_approval'], 'rolling_back');
      rolledBack = walk.workOff('owner');
      rolledBack.catch(() => undefined);
      await waitFor('the rollback to wait for the publish', async () => {
        const { rowCount } = await stepper.sql.query(
          `select 1 from pg_stat_activity
            where datname = current_database() and wait_event_type = 'Lock' and query like '%tombstone_batch%'`,
        );
        return (rowCount ?? 0) > 0 || undefined;
      });
    });
    expect(published).toBe(true);
    expect(await rolledBack).toBe('rolled_back');
    expect(await walk.live()).toEqual({ 1: 'heir', 2: 'heir' });
    const { rows } = await stepper.keys.query('select distinct batch_id from analytics.backfill_event_checkpoint');
    expect(rows).toEqual([{ batch_id: 'heir' }]);
  });

  const booksOf = async (batchId: string) => {
    const { rows } = await stepper.sql.query(
      `select sum(line_count)::int as read, sum(inserted)::int as inserted,
              sum(duplicate_same_batch)::int as same_batch, sum(duplicate_other_batch)::int as other_batch,
              sum(duplicate_live)::int as live, sum(suppressed)::int as suppressed
         from analytics.backfill_import_parts where batch_id = $1`,
      [batchId],
    );
    return rows[0];
  };

  it('books repeats of what it takes over, people suppressed and live deliveries in between', async () => {
    await walk.verify('owner', [0, 1, 3]);
    // 0 and 3 are to be taken over, 0 comes twice; 5 and 6 are new.
    const others = Array.from({ length: 14 }, (_, at) => 10 + at);
    await walk.verify('heir', [0, 5, 0, 3, 6, 5, ...others]);
    await stepper.sql.query(
      `insert into analytics.events
         (event_id, source, event_name, schema_version, event_ts, session_id, subject_id, payload)
       select event_id, source, event_name, schema_version, event_ts, session_id, subject_id, payload
         from analytics.events_backfill_staging
        where batch_id = 'heir' and extract(hour from event_ts at time zone 'UTC') in (3, 6) on conflict do nothing`,
    );
    await walk.publish('heir');
    expect(await walk.live()).toMatchObject({ 0: 'heir', 3: null, 5: 'heir', 6: null });
    // Of the first 6 lines: 0 and 5 new, 5 repeated, the other 0 and 3 another's, 6 live by now.
    expect(await booksOf('heir')).toEqual({
      read: 20,
      inserted: 16,
      same_batch: 1,
      other_batch: 2,
      live: 1,
      suppressed: 0,
    });
  });

  it('takes nothing over of people who were suppressed after the signing', async () => {
    await walk.verify('owner', [0, 1]);
    await walk.verify('heir', [1, 2]);
    await stepper.sql.query(
      `insert into analytics.privacy_suppressions (subject_id, reason)
       select distinct subject_id, 'erasure' from analytics.events_backfill_staging where batch_id = 'heir'`,
    );
    await walk.publish('heir');
    expect(await walk.live()).toEqual({});
    expect(await booksOf('heir')).toEqual({
      read: 2,
      inserted: 0,
      same_batch: 0,
      other_batch: 1,
      live: 0,
      suppressed: 1,
    });
    const { rows } = await stepper.keys.query(
      'select batch_id, count(*)::int as n from analytics.backfill_event_checkpoint group by 1 order by 1',
    );
    expect(rows).toEqual([
      { batch_id: 'heir', n: 1 },
      { batch_id: 'owner', n: 2 },
    ]);
  });
});
