import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventLine, WINDOW } from '../support/app-events.ts';
import { createConfigDir, withoutApprovals } from '../support/config-dir.ts';
import { KEY_LAYOUTS } from '../support/environment.ts';
import { startServiceProcess } from '../support/service-process.ts';
import { createStepper, type Stepper } from './stepper.ts';
import { createWalk, type Walk } from './walk.ts';

// What a rollback leaves to those who delivered the same events.
let config: Awaited<ReturnType<typeof createConfigDir>>;
beforeAll(async () => {
  config = await createConfigDir((policy) => {
    withoutApprovals(policy);
    Object.assign(policy.gates.default, { duplicate_ratio: 1, max_overlap: 1, max_newly_suppressed: 1 });
  });
});
afterAll(() => config.remove());

const LIVE_COLUMNS = 'event_id, source, event_name, schema_version, event_ts, session_id, subject_id, payload';

describe.each(KEY_LAYOUTS)('dedup store %s', (layout) => {
  let stepper: Stepper;
  let walk: Walk;
  beforeEach(async () => {
    stepper = await createStepper(layout, { BACKFILL_CONFIG_DIR: config.dir, TRANSFORMER_PART_LINES: '2' });
    walk = createWalk(stepper);
  });
  afterEach(() => stepper.dispose());

  /** Keys of the dedup store by the number of their event. */
  async function keys(): Promise<Record<string, string>> {
    const { rows } = await stepper.keys.query<{ number: number; batch_id: string }>(
      `select substring(event_id from 'app:\\d{8}(\\d\\d)')::int as number, batch_id
         from analytics.backfill_event_checkpoint order by 1`,
    );
    return Object.fromEntries(rows.map(({ number, batch_id }) => [number, batch_id]));
  }

  /** Live ingestion delivers an event that a batch has staged, once more maybe. */
  async function deliverLive(number: number, schemaVersion = 'schema_version'): Promise<void> {
    await stepper.sql.query(
      `insert into analytics.events (${LIVE_COLUMNS})
       select distinct on (event_id) ${LIVE_COLUMNS.replace('schema_version', schemaVersion)}
         from analytics.events_backfill_staging where extract(hour from event_ts at time zone 'UTC') = $1
       on conflict do nothing`,
      [number],
    );
  }

  /** Lines by outcome, and what the batch says of its rows, against what is live of it. */
  async function books(batchId: string) {
    const { rows } = await stepper.sql.query(
      `select b.row_count::int, sum(p.inserted)::int as inserted, sum(p.duplicate_other_batch)::int as other_batch,
              b.checksum = (select encode(sha256(convert_to(string_agg(event_id || e'\\n', '' order by event_id), 'UTF8')), 'hex')
                              from analytics.events where batch_id = b.batch_id) as is_checksum_right,
              b.checksum = m.checksum as is_noted
         from analytics.backfill_batches b join analytics.backfill_batches_metadata m using (batch_id)
         join analytics.backfill_import_parts p using (batch_id)
        where b.batch_id = $1 group by b.batch_id, m.batch_id`,
      [batchId],
    );
    return rows[0];
  }

  it('gives a published batch what it had lost, with keys, books, audit and a report', async () => {
    await walk.verify('owner', [0, 1, 2]);
    await walk.publish('owner');
    await walk.verify('heir', [1, 2, 1, 3]);
    await walk.publish('heir');
    expect(await walk.live()).toEqual({ 0: 'owner', 1: 'owner', 2: 'owner', 3: 'heir' });
    await walk.rollBack('owner');
    expect(await walk.live()).toEqual({ 1: 'heir', 2: 'heir', 3: 'heir' });
    expect(await keys()).toEqual({ 1: 'heir', 2: 'heir', 3: 'heir' });
    // Its report is due.
    await walk.workOff('heir');
    expect(await books('heir')).toEqual({
      ...{ row_count: 3, inserted: 3, other_batch: 1, is_checksum_right: true, is_noted: true },
    });
    const { rows } = await stepper.sql.query(
      `select (select count(*)::int from analytics.events_log where batch_id = 'owner' and deleted_at is not null) as tombstones,
              (select array[tombstoned, handed_over]::int[] from analytics.backfill_rollbacks where batch_id = 'owner') as proof,
              (select detail from analytics.backfill_audit_log where batch_id = 'heir' and action = 'rehomed') as audited`,
    );
    expect(rows).toEqual([{ tombstones: 3, proof: [3, 2], audited: { from: 'owner', events: 2 } }]);
  });

  it('goes on to the next one, in the order of their publishes, and comes back to none that is rolled back', async () => {
    await walk.verify('owner', [0]);
    await walk.publish('owner');
    for (const heir of ['second', 'first', 'gone']) await walk.verify(heir, [0, 1]);
    await walk.publish('gone');
    await walk.rollBack('gone');
    for (const heir of ['first', 'second']) {
      await walk.workOff(heir);
      await walk.publish(heir);
    }
    expect(await walk.live()).toEqual({ 0: 'owner', 1: 'first' });
    await walk.rollBack('owner');
    expect(await walk.live()).toEqual({ 0: 'first', 1: 'first' });
    await walk.rollBack('first');
    expect(await walk.live()).toEqual({ 0: 'second', 1: 'second' });
    expect(await keys()).toEqual({ 0: 'second', 1: 'second' });
    await walk.rollBack('second');
    expect(await walk.live()).toEqual({});
    expect(await keys()).toEqual({});
  });

  it('gives it to a batch whose staged rows are purged', async () => {
    await walk.verify('owner', [0, 1]);
    await walk.publish('owner');
    await walk.verify('heir', [1, 2, 1]);
    await walk.publish('heir');
    await stepper.sql.query(`select analytics.empty_staging_leaf('heir'), analytics.empty_staging_leaf('owner')`);
    await walk.rollBack('owner');
    await walk.workOff('heir');
    expect(await walk.live()).toEqual({ 1: 'heir', 2: 'heir' });
    expect(await books('heir')).toEqual({
      ...{ row_count: 2, inserted: 2, other_batch: 1, is_checksum_right: true, is_noted: true },
    });
  });

  it('gives live ingestion what it delivered after the publish, before anybody else', async () => {
    await walk.verify('owner', [0, 1, 2]);
    await walk.publish('owner');
    await deliverLive(1);
    await deliverLive(2, `'9-9-9' as schema_version`);
    await walk.verify('heir', [1]);
    await walk.publish('heir');
    expect(await walk.live()).toEqual({ 0: 'owner', 1: 'owner', 2: 'owner' });
    await walk.rollBack('owner');
    expect(await walk.live()).toEqual({ 1: null, 2: null });
    expect(await keys()).toEqual({});
    const { rows } = await stepper.sql.query('select schema_version from analytics.events order by event_ts');
    expect(rows).toEqual([{ schema_version: '1-0-0' }, { schema_version: '9-9-9' }]);
    await walk.rollBack('heir');
    expect(await walk.live()).toEqual({ 1: null, 2: null });
  });

  it('gives live ingestion what it delivered while the publish was on its way', async () => {
    await walk.verify('owner', [0, 1]);
    await walk.toPublishing('owner');
    const writer = await stepper.sql.connect();
    const publisher = await stepper.sql.connect();
    try {
      // As the publish's own transaction: the delivery waits for it, and gives way to it.
      await publisher.query(`begin; set local analytics.actor = 'test'`);
      await publisher.query(`select analytics.publish_batch_rows('owner', 2)`);
      const delivered = writer.query(
        `insert into analytics.events_log (${LIVE_COLUMNS})
         select ${LIVE_COLUMNS} from analytics.events_backfill_staging order by event_id limit 1 on conflict do nothing`,
      );
      await publisher.query(`update analytics.backfill_batches set rows_live = true where batch_id = 'owner'`);
      await publisher.query('commit');
      expect((await delivered).rowCount).toBe(0);
    } finally {
      writer.release();
      publisher.release();
    }
    expect(await stepper.change('owner', ['publishing'], 'rolling_back')).toBe(true);
    await walk.workOff('owner');
    expect(await walk.live()).toEqual({ 0: null });
  });

  it('brings nobody back who is suppressed', async () => {
    await walk.verify('owner', [0, 1]);
    await walk.publish('owner');
    await deliverLive(0);
    await walk.verify('heir', [1]);
    await walk.publish('heir');
    await stepper.sql.query(
      `insert into analytics.privacy_suppressions (subject_id, reason) select distinct subject_id, 'erasure' from analytics.events`,
    );
    await walk.rollBack('owner');
    expect(await walk.live()).toEqual({});
    const { rows } = await stepper.sql.query('select distinct is_suppressed from analytics.backfill_handovers');
    expect(rows).toEqual([{ is_suppressed: true }]);
  });

  it('hands over what is nobody\u2019s, whoever is suppressed', async () => {
    const anonymous = { 'a.ndjson': `${eventLine(1).replace('"user":{"id":"u1"},', '')}\n` };
    for (const batchId of ['owner', 'heir']) {
      await stepper.submit({ batchId, source: 'app', window: WINDOW }, anonymous);
      await walk.workOff(batchId);
      await walk.publish(batchId);
    }
    await stepper.sql.query(
      `insert into analytics.privacy_suppressions (subject_id, reason) values ('else', 'erasure')`,
    );
    await walk.rollBack('owner');
    expect(await walk.live()).toEqual({ 1: 'heir' });
  });

  it.each(['committed', 'counted'])(
    'gives events to a batch whose publish is %s, which counts them too',
    async (point) => {
      await walk.verify('owner', [0, 1]);
      await walk.publish('owner');
      await walk.verify('heir', [1, 2]);
      await walk.toPublishing('heir');
      const killed = startServiceProcess('verifier', stepper.env, `publish:${point}`);
      expect(await killed.ended).toBe('SIGKILL');
      await walk.rollBack('owner');
      expect(await walk.workOff('heir')).toBe('published');
      expect(await walk.live()).toEqual({ 1: 'heir', 2: 'heir' });
      expect(await books('heir')).toMatchObject({ row_count: 2, inserted: 2, is_checksum_right: true, is_noted: true });
    },
  );

  it('does the same from psql', async () => {
    await walk.verify('owner', [0, 1]);
    await walk.publish('owner');
    await walk.verify('heir', [1, 2]);
    await walk.publish('heir');
    const script = 'scripts/backfill_apply_tombstones.sql';
    const args = ['-v', 'ON_ERROR_STOP=1', '-f', script, '--set', 'batch_id=owner'];
    await promisify(execFile)('psql', [stepper.env.DATABASE_URL ?? '', ...args]);
    expect(await walk.live()).toEqual({ 1: 'heir', 2: 'heir' });
  });
});
