import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { settleKeys } from '@backfill/core/db/key-transaction';
import { listBatchesWithoutWork } from '@backfill/core/db/queries/open-work-list';
import { listPreparedKeys } from '@backfill/core/db/queries/prepared-keys';
import { fingerprintLive } from '@backfill/core/db/queries/publish-rows';
import { tryHoldSource } from '@backfill/core/db/queries/replace-rows';
import { withTransaction } from '@backfill/core/db/transaction';
import { freeReleasedKeys } from '@backfill/core/dispatch/free-keys';
import { ROLLBACK_MODES } from '@backfill/core/domain/rollback-mode';
import { DeferError } from '@backfill/core/errors';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventLine, WINDOW } from '../support/app-events.ts';
import { createConfigDir, withoutApprovals } from '../support/config-dir.ts';
import { KEY_LAYOUTS } from '../support/environment.ts';
import { startServiceProcess } from '../support/service-process.ts';
import { createStepper, type Stepper } from './stepper.ts';
import { createWalk, type Walk } from './walk.ts';

// A batch takes the place of what was live before, and gives it back.
let config: Awaited<ReturnType<typeof createConfigDir>>;
beforeAll(async () => {
  config = await createConfigDir((policy) => {
    withoutApprovals(policy);
    // What is replaced is no overlap: as users have it.
    Object.assign(policy.gates.default, { max_newly_suppressed: 1, duplicate_ratio: 1 });
  });
});
afterAll(() => config.remove());

/** An event as the wrong transform had it (`3`), or as the right one has it (`3b`). */
const lineOf = (event: string) => `${eventLine(Number.parseInt(event, 10)).replace(/page\/\d+/, `page/${event}`)}\n`;
const EVENT = `substring(payload::text from 'page/([0-9a-z]+)')`;
const COLUMNS = 'event_id, source, event_name, schema_version, event_ts, session_id, subject_id, payload';

describe.each(KEY_LAYOUTS)('dedup store %s', (layout) => {
  let stepper: Stepper;
  let walk: Walk;
  beforeEach(async () => {
    stepper = await createStepper(layout, { BACKFILL_CONFIG_DIR: config.dir, TRANSFORMER_PART_LINES: '2' });
    walk = createWalk(stepper);
  });
  afterEach(() => stepper.dispose());

  async function verify(batchId: string, events: string, replaces?: string | { live: true }, others = {}) {
    const target = typeof replaces === 'string' ? { batch_id: replaces } : replaces;
    const request = { ...(target && { replaces: target }), ...others };
    const text = events.split(' ').map(lineOf).join('');
    await stepper.submit({ batchId, source: 'app', window: WINDOW, request }, { 'a.ndjson': text });
    return walk.workOff(batchId);
  }

  async function publish(batchId: string, events: string, replaces?: string | { live: true }): Promise<void> {
    expect(await verify(batchId, events, replaces)).toBe('awaiting_publish_approval');
    await walk.publish(batchId);
  }

  /** `<event> <who has it>` of all that is live. */
  async function live(): Promise<string[]> {
    const { rows } = await stepper.sql.query<{ event: string; batch_id: string | null }>(
      `select ${EVENT} as event, batch_id from analytics.events`,
    );
    return rows.map(({ event, batch_id }) => `${event} ${batch_id ?? '(live)'}`).sort();
  }

  /** All live rows in full. */
  async function rows(): Promise<string[]> {
    const { rows: found } = await stepper.sql.query<{ row: string }>(
      'select e::text as row from analytics.events_log e where deleted_at is null order by 1',
    );
    return found.map(({ row }) => row);
  }

  async function keys(): Promise<Record<string, number>> {
    const { rows: found } = await stepper.keys.query<{ batch_id: string; n: number }>(
      'select batch_id, count(*)::int as n from analytics.backfill_event_checkpoint group by 1 order by 1',
    );
    return Object.fromEntries(found.map(({ batch_id, n }) => [batch_id, n]));
  }

  async function deliverLive(...events: string[]): Promise<void> {
    await stepper.submit(
      { batchId: `live-${events.join('-')}`, source: 'app', window: WINDOW },
      { 'a.ndjson': events.map(lineOf).join('') },
    );
    await walk.workOff(`live-${events.join('-')}`);
    await stepper.sql.query(
      `insert into analytics.events (${COLUMNS})
       select ${COLUMNS} from analytics.events_backfill_staging where batch_id = $1 on conflict do nothing`,
      [`live-${events.join('-')}`],
    );
    await stepper.rollBack(`live-${events.join('-')}`, 'tombstone');
    await walk.workOff(`live-${events.join('-')}`);
  }

  async function rollBack(batchId: string, mode: (typeof ROLLBACK_MODES)[number] = 'tombstone'): Promise<void> {
    expect(await stepper.rollBack(batchId, mode)).toBe(true);
    expect(await walk.workOff(batchId)).toBe('rolled_back');
  }

  /** As the services do it. */
  const freeKeys = () => freeReleasedKeys(stepper.runtime.pool, stepper.runtime.keyStore);
  async function settle(): Promise<void> {
    const { pool, keyStore } = stepper.runtime;
    if (!keyStore.isSeparate) return;
    for (const { gid } of await listPreparedKeys(keyStore.pool)) await settleKeys(pool, keyStore, gid);
  }

  const one = async (sql: string, ...values: unknown[]) => (await stepper.sql.query(sql, values)).rows[0];
  const proofOf = (batchId: string) =>
    one('select tombstoned::int, replaced from analytics.backfill_rollbacks where batch_id = $1', batchId);

  it('puts a batch in the place of another one, events that are the same too, and books them as its own', async () => {
    await publish('old', '0 1 2 3');
    await publish('new', '1 2b 3b 4b 5 6 7 8 9 1', 'old');
    expect(await live()).toEqual(['1', '2b', '3b', '4b', '5', '6', '7', '8', '9'].map((event) => `${event} new`));
    const booked = await one(
      `select b.row_count::int, sum(p.inserted)::int as inserted, sum(p.duplicate_same_batch)::int as same_batch,
              sum(p.duplicate_other_batch)::int as other_batch
         from analytics.backfill_batches b join analytics.backfill_import_parts p using (batch_id)
        where batch_id = 'new' group by b.batch_id`,
    );
    expect(booked).toEqual({ row_count: 9, inserted: 9, same_batch: 1, other_batch: 0 });
    // What nobody has now stays a claim of whoever had it.
    expect(await keys()).toEqual({ new: 9, old: 3 });
    expect(
      await one(`select replaced_by, rows_live, status from analytics.backfill_batches where batch_id = 'old'`),
    ).toEqual({ replaced_by: 'new', rows_live: false, status: 'published' });
    expect(
      await one(
        'select replaced::int, replaced_since::int from analytics.backfill_publishes where batch_id = $1',
        'new',
      ),
    ).toEqual({ replaced: 4, replaced_since: 0 });
  });

  it.each(ROLLBACK_MODES)('gives back what it replaced, row for row and key for key, by the mode %s', async (mode) => {
    await publish('old', '0 1 2 3');
    await deliverLive('9');
    const before = await rows();
    await publish('new', '1 2b 3b 4b', 'old');
    await rollBack('new', mode);
    expect(await rows()).toEqual(before);
    expect(await keys()).toEqual({ old: 4 });
    expect(await proofOf('new')).toEqual({
      tombstoned: 4,
      replaced: { revived: 4, suppressed: 0, expired: 0, live: 0 },
    });
    // As if nothing had been: it can be taken back, and what it had is free again.
    await rollBack('old', mode);
    expect(await live()).toEqual(['9 (live)']);
    expect(await keys()).toEqual({});
  });

  it('replaces what live ingestion has in the window, and gives it back', async () => {
    await publish('other', '7');
    await deliverLive('0', '1', '2');
    const before = await rows();
    await publish('new', '1 2b', { live: true });
    expect(await live()).toEqual(['1 new', '2b new', '7 other']);
    await deliverLive('5');
    expect(await live()).toEqual(['1 new', '2b new', '5 (live)', '7 other']);
    await rollBack('new');
    expect((await rows()).filter((row) => !row.includes('page/5'))).toEqual(before);
    expect(await keys()).toEqual({ other: 1 });
  });

  it('is undone from psql too, with nothing else running', async () => {
    for (const [script, old] of [
      ['scripts/backfill_apply_tombstones.sql', 'old-1'],
      ['scripts/backfill_revert.sql', 'old-2'],
    ] as const) {
      await publish(old, '0 1 2');
      const before = await rows();
      await publish(`for-${old}`, '1 2b', old);
      const psql = (batchId: string) =>
        promisify(execFile)('psql', [
          ...[stepper.env.DATABASE_URL ?? '', '-v', 'ON_ERROR_STOP=1', '-f', script],
          ...['--set', `batch_id=${batchId}`],
        ]);
      await expect(psql(old)).rejects.toThrow(/was replaced by/);
      await psql(`for-${old}`);
      await freeKeys();
      expect(await rows()).toEqual(before);
      await psql(old);
      await freeKeys();
      expect(await live()).toEqual([]);
    }
  });

  it('lets a batch be replaced again and again, the last one first to go', async () => {
    await publish('first', '0 1 2');
    await publish('second', '0b 1', 'first');
    // As the first had it: its claims give way.
    await publish('third', '0 1 2 3', 'second');
    expect(await live()).toEqual(['0 third', '1 third', '2 third', '3 third']);
    await expect(rollBack('first')).rejects.toThrow(/was replaced by second/);
    await expect(rollBack('second')).rejects.toThrow(/was replaced by third/);
    await rollBack('third');
    expect(await live()).toEqual(['0b second', '1 second']);
    await rollBack('second');
    expect(await live()).toEqual(['0 first', '1 first', '2 first']);
    expect(await keys()).toEqual({ first: 3 });
  });

  it('brings nobody back who was suppressed since, nor what others have by now', async () => {
    await publish('old', '0 1');
    await deliverLive('5');
    await publish('new', '1b', 'old');
    await deliverLive('0');
    await rollBack('new');
    expect(await live()).toEqual(['0 (live)', '1 old', '5 (live)']);
    expect(await proofOf('new')).toMatchObject({ replaced: { revived: 1, live: 1 } });
    await publish('newer', '2', 'old');
    await stepper.sql.query(
      `insert into analytics.privacy_suppressions (subject_id, reason) select distinct subject_id, 'erasure' from analytics.events`,
    );
    await rollBack('newer');
    expect(await live()).toEqual(['0 (live)', '5 (live)']);
    expect(await proofOf('newer')).toMatchObject({ replaced: { revived: 0, suppressed: 1 } });
  });

  it('measures anew when what it replaces is taken back, and then refuses', async () => {
    await publish('old', '0 1');
    await verify('new', '0b 1', 'old');
    await rollBack('old');
    expect(await walk.statusOf('new')).toBe('verifying');
    await stepper.halt('new');
    await stepper.resume('new');
    expect(await walk.workOff('new')).toBe('gates_failed');
    const { why } = await one(
      `select detail ->> 'why' as why from analytics.backfill_gate_results
        where batch_id = 'new' and gate = 'replaces' order by run_no desc limit 1`,
    );
    expect(why).toMatch(/old is rolled_back/);
  });

  it('goes back to its gates when what it replaces has changed since', async () => {
    await publish('old', '0 1');
    await verify('new', '0b 1', 'old');
    await stepper.sql.query(`update analytics.events_log set deleted_at = now() where ${EVENT} = '0'`);
    await walk.toPublishing('new');
    expect(await walk.workOff('new')).toBe('awaiting_publish_approval');
    await walk.publish('new');
    await rollBack('new');
    // What was tombstoned for another reason stays so.
    expect(await live()).toEqual(['1 old']);
    await verify('other', '3b', { live: true });
    await deliverLive('4');
    await walk.toPublishing('other');
    expect(await walk.workOff('other')).toBe('awaiting_publish_approval');
  });

  it('lets one of two take the place of a batch', async () => {
    await publish('old', '0 1 2');
    await verify('new', '0b', 'old');
    await verify('rival', '0 1', 'old');
    await walk.publish('new');
    expect(await walk.statusOf('rival')).toBe('verifying');
    expect(await walk.workOff('rival')).toBe('gates_failed');
    expect(await live()).toEqual(['0b new']);
  });

  it('lets others publish what nobody has any more, who then keep it', async () => {
    await publish('old', '0 1 2');
    await publish('new', '0b', 'old');
    await publish('third', '1');
    await rollBack('new');
    expect(await live()).toEqual(['0 old', '1 third', '2 old']);
    await rollBack('third');
    expect(await live()).toEqual(['0 old', '1 old', '2 old']);
  });

  it('keeps out of sight what it replaced when somebody else’s window is restored', async () => {
    await deliverLive('0', '1');
    await publish('other', '5');
    await publish('new', '0b', { live: true });
    await rollBack('other', 'snapshot');
    expect(await live()).toEqual(['0b new']);
    await rollBack('new', 'snapshot');
    expect(await live()).toEqual(['0 (live)', '1 (live)']);
  });

  it('leaves live rows to a later batch that would have replaced them too', async () => {
    await deliverLive('0', '1');
    await publish('first', '0', { live: true });
    await deliverLive('2');
    await publish('second', '3', { live: true });
    expect(await live()).toEqual(['0 first', '3 second']);
    await rollBack('first');
    expect(await live()).toEqual(['3 second']);
    await rollBack('second');
    expect(await live()).toEqual(['0 (live)', '1 (live)', '2 (live)']);
  });

  it('does not replace live rows while a rollback gives some back, which it then measures', async () => {
    await deliverLive('0', '1');
    await publish('first', '0', { live: true });
    await verify('second', '3', { live: true });
    await walk.toPublishing('second');
    await withTransaction(stepper.runtime.pool, 'test', async (client) => {
      await client.query(`select analytics.take_batch_back('first', 'tombstone')`);
      await expect(walk.workOff('second')).rejects.toThrow(DeferError);
      // Nothing of it is held, so that it can be stopped.
      await stepper.halt('second');
    });
    await freeKeys();
    await stepper.resume('second');
    expect(await walk.workOff('second')).toBe('awaiting_publish_approval');
    await walk.publish('second');
    expect(await live()).toEqual(['3 second']);
    await rollBack('second');
    expect(await live()).toEqual(['0 (live)', '1 (live)']);
  });

  it('holds rollbacks in the source up while it replaces', async () => {
    await deliverLive('0');
    await publish('first', '0', { live: true });
    const { pool } = stepper.runtime;
    await withTransaction(pool, 'test', async (client) => {
      expect(await tryHoldSource(client, 'first')).toBe(true);
      await stepper.sql.query(`set lock_timeout = '100ms'`);
      await expect(stepper.sql.query(`select analytics.take_batch_back('first', 'tombstone')`)).rejects.toMatchObject({
        code: '55P03',
      });
      await stepper.sql.query('reset lock_timeout');
    });
  });

  it('counts a batch anew that comes back without some of its rows', async () => {
    await publish('old', '0 1 2');
    await publish('new', '1b', 'old');
    await deliverLive('0');
    await rollBack('new');
    const books = `
      select b.row_count::int, b.checksum, m.checksum as of_metadata, p.published::int, p.counted::int,
             split_part(p.fingerprint, ':', 1)::int as fingerprinted
        from analytics.backfill_batches b join analytics.backfill_batches_metadata m using (batch_id)
        join analytics.backfill_publishes p using (batch_id) where batch_id = $1`;
    expect(await one(books, 'old')).toEqual({
      ...{ row_count: 2, checksum: null, of_metadata: null, published: 2, counted: 2, fingerprinted: 2 },
    });
    const forgetWork = () => stepper.sql.query(`delete from analytics.backfill_outbox where batch_id = 'old'`);
    await forgetWork();
    expect(await listBatchesWithoutWork(stepper.sql)).toContain('old');
    const { pool } = stepper.runtime;
    const { fingerprint } = await fingerprintLive(pool, 'old');
    expect(await one('select fingerprint from analytics.backfill_publishes where batch_id = $1', 'old')).toEqual({
      fingerprint,
    });
    // Replaced once more before its report was written: there is nothing to count.
    await publish('newer', '1b', 'old');
    await stepper.sql.query(`update analytics.backfill_batches set checksum = null where batch_id = 'old'`);
    await forgetWork();
    expect(await listBatchesWithoutWork(stepper.sql)).not.toContain('old');
  });

  it('replaces what came live since the signatures, where the policy lets it', async () => {
    await deliverLive('0', '1');
    expect(await verify('new', '1b', { live: true }, { max_overlap: 0.5 })).toBe('awaiting_publish_approval');
    await deliverLive('2');
    await walk.publish('new');
    expect(await live()).toEqual(['1b new']);
    const published = 'select replaced::int, replaced_since::int from analytics.backfill_publishes where batch_id = $1';
    expect(await one(published, 'new')).toEqual({ replaced: 3, replaced_since: 1 });
    await rollBack('new');
    expect(await live()).toEqual(['0 (live)', '1 (live)', '2 (live)']);
    await verify('newer', '1b', { live: true }, { max_overlap: 0.5 });
    await deliverLive('3');
    await stepper.sql.query(`update analytics.events_log set deleted_at = now() where ${EVENT} = '0'`);
    await walk.toPublishing('newer');
    // One came and one went, of three.
    expect(await walk.workOff('newer')).toBe('awaiting_publish_approval');
    expect(await live()).toEqual(['1 (live)', '2 (live)', '3 (live)']);
  });

  it('leaves gone what is past retention by then', async () => {
    await publish('old', '0 1');
    await publish('new', '1 2', 'old');
    await stepper.sql.query(`
      set session_replication_role = replica;
      update analytics.backfill_plans set plan = jsonb_set(plan, '{policy,retention,event_months}', '0') where batch_id = 'new';
      set session_replication_role = origin`);
    await rollBack('new');
    expect(await live()).toEqual([]);
    expect(await proofOf('new')).toMatchObject({ replaced: { revived: 0, expired: 2 } });
  });

  it('shows neither both nor none of them when its publish dies', async () => {
    await publish('old', '0 1 2');
    for (const point of ['publish:inserted', 'publish:taken', 'publish:changed', 'publish:committed']) {
      const batchId = point.replace(':', '-');
      await verify(batchId, '0b 1', 'old');
      await walk.toPublishing(batchId);
      const killed = startServiceProcess('verifier', stepper.env, point);
      expect(await killed.ended).toBe('SIGKILL');
      await settle();
      const after = [`0b ${batchId}`, `1 ${batchId}`];
      expect(await live()).toEqual(point === 'publish:committed' ? after : ['0 old', '1 old', '2 old']);
      expect(await walk.workOff(batchId)).toBe('published');
      expect(await live()).toEqual(after);
      await rollBack(batchId);
      expect(await live()).toEqual(['0 old', '1 old', '2 old']);
    }
  });
});
