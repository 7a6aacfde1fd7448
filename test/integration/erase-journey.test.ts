import { withTransaction } from '@backfill/core/db/transaction';
import { resumeBatch } from '@backfill/core/dispatch/resume-batch';
import type { MirrorManifest } from '@backfill/core/plan/mirror-manifest';
import { archiveLayout } from '@backfill/core/storage/layout';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { APP_WINDOW } from '../support/app-logs.ts';
import { KEY_LAYOUTS } from '../support/environment.ts';
import {
  erased,
  eventIdsOf,
  everythingOf,
  findAnywhere,
  forget,
  GONE,
  mixedFiles,
  pseudonymsOf,
  STAYS,
} from '../support/forgotten-world.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';

// Two people in batches wherever these can rest; one of them is forgotten.
describe.each(KEY_LAYOUTS)('dedup store %s', (layout) => {
  let pipeline: Pipeline;
  beforeAll(async () => {
    pipeline = await startPipeline({ layout });
    await pipeline.config.editPolicy((policy) => {
      Object.assign(policy.gates.default, { duplicate_ratio: 1, max_overlap: 1, schema: 1, max_newly_suppressed: 1 });
    });
  });
  afterAll(() => pipeline?.dispose());

  async function verify(batchId: string, files: Record<string, Buffer>): Promise<void> {
    await pipeline.upload(batchId, files);
    await pipeline.submit({ batchId, source: 'app', window: APP_WINDOW });
    await pipeline.rest(batchId);
    const batch = await pipeline.rest(batchId);
    expect({ batchId, status: batch.status, reason: batch.status_reason }).toMatchObject({
      status: 'awaiting_publish_approval',
    });
  }

  async function publish(batchId: string, files: Record<string, Buffer>): Promise<void> {
    await verify(batchId, files);
    await pipeline.change(batchId, 'awaiting_publish_approval', 'publishing');
    await pipeline.rest(batchId, ['published']);
  }

  async function balanceOf(batchId: string) {
    const { rows } = await pipeline.sql.query(
      `select sum(line_count)::int as read, sum(inserted)::int as inserted,
              sum(duplicate_same_batch + duplicate_other_batch + duplicate_live)::int as duplicate,
              sum(suppressed)::int as suppressed, sum(filtered)::int as filtered, sum(quarantined)::int as quarantined
         from analytics.backfill_import_parts where batch_id = $1`,
      [batchId],
    );
    return rows[0];
  }

  it('finds nobody anywhere, and the other one untouched', async () => {
    const { runtime, sql } = pipeline;
    await publish('published', mixedFiles(0, 10));
    // The snapshot of this one holds what that one has published.
    await publish('second', mixedFiles(10, 20));
    await verify('waiting', mixedFiles(20, 30));
    // Both have events of those that are published.
    await verify('overlap', mixedFiles(5, 12));
    await publish('undone', mixedFiles(30, 40));
    await pipeline.change('undone', 'published', 'rolling_back');
    await pipeline.rest('undone', ['rolled_back']);
    await sql.query(
      `insert into analytics.events_log (event_id, source, event_name, schema_version, event_ts, subject_id, payload)
       select 'app:live' || row_number() over (), 'app', 'page_viewed', '1-0-0', '2026-11-01T05:00:00Z', s, '{}' from unnest($1::text[]) s`,
      [[pseudonymsOf(runtime, GONE)[0], pseudonymsOf(runtime, STAYS)[0]]],
    );
    expect(await balanceOf('published')).toEqual({
      ...{ read: 28, inserted: 22, duplicate: 2, suppressed: 0, filtered: 2, quarantined: 2 },
    });
    const gone = pseudonymsOf(runtime, GONE);
    const stays = pseudonymsOf(runtime, STAYS);
    const ids = await eventIdsOf(sql, gone);
    expect(ids.length).toBe(4 * 11 + 1 + 1);
    // As deliveries that came second, and a rollback that handed over, would have left them.
    await sql.query(
      `insert into analytics.backfill_live_losses (event_id, event_ts, schema_version) select event_id, event_ts, schema_version
         from analytics.events_log where subject_id = any ($1) on conflict do nothing`,
      [gone],
    );
    await sql.query(
      `insert into analytics.backfill_handovers (from_batch_id, from_attempt, event_id, to_batch_id, is_suppressed)
       select distinct 'undone', 1, event_id, null, false from analytics.events_log where subject_id = any ($1) and batch_id = 'undone'`,
      [gone],
    );
    const before = await everythingOf(pipeline, runtime, STAYS, stays);
    expect((await findAnywhere(pipeline, runtime, [GONE, ...gone, ...ids])).length).toBeGreaterThan(50);

    const { erasureId } = await forget(runtime, GONE);
    expect(await erased(sql, erasureId)).toMatchObject({
      outcome: 'incomplete',
      problems: ['published', 'second', 'waiting', 'overlap', 'undone'].map((batch) =>
        expect.stringContaining(`lines of ${batch} `),
      ),
    });
    await pipeline.rest('waiting', ['awaiting_publish_approval']);
    expect(await findAnywhere(pipeline, runtime, [GONE, ...gone, ...ids])).toEqual([]);
    expect(await everythingOf(pipeline, runtime, STAYS, stays)).toEqual(before);

    for (const batch of ['published', 'second', 'waiting', 'undone']) {
      expect(await balanceOf(batch)).toEqual({
        ...{ read: 28, inserted: 11, duplicate: 1, suppressed: 14, filtered: 1, quarantined: 1 },
      });
    }
    await pipeline.rest('overlap', ['awaiting_publish_approval']);
    expect(await balanceOf('overlap')).toEqual({
      ...{ read: 22, inserted: 1, duplicate: 8, suppressed: 11, filtered: 1, quarantined: 1 },
    });
    const { rows: receipts } = await sql.query(
      `select store, rows::int, objects::int from analytics.backfill_erasure_receipts where erasure_id = $1 and batch_id = 'published' order by 1`,
      [erasureId],
    );
    expect(receipts).toEqual([
      { store: 'checkpoint_raw', rows: 12, objects: 0 },
      { store: 'events_log', rows: 11, objects: 0 },
      { store: 'gate_results', rows: 1, objects: 0 },
      { store: 'lineage', rows: 12, objects: 0 },
      { store: 'mirror', rows: 14, objects: 2 },
      expect.objectContaining({ store: 'parts', rows: 12 }),
      { store: 'quarantine', rows: 1, objects: 0 },
      expect.objectContaining({ store: 'recounts' }),
      expect.objectContaining({ store: 'samples', objects: 1 }),
      { store: 'staging', rows: 12, objects: 0 },
    ]);
  }, 240_000);

  it('has the mirror as its manifest says, which names the one before', async () => {
    const { store, config } = pipeline.runtime;
    const read = async (key: string) =>
      JSON.parse(String(Buffer.concat(await (await store.get(config.storage.archiveBucket, key)).toArray())));
    const manifest: MirrorManifest = await read(archiveLayout.manifest('published'));
    expect(manifest).toMatchObject({ manifest_version: 2, parent: { key: 'manifest-1.json' } });
    const parent: MirrorManifest = await read(archiveLayout.oldManifest('published', 1));
    expect(manifest.raw_checksum).toBe(parent.checksum);
    expect(manifest.objects.map(({ erased_lines, lines }) => [erased_lines, lines])).toEqual([
      [11, 22],
      [3, 6],
    ]);
    const { rows } = await pipeline.sql.query(
      `select source_file as key, size::int, sha256 from analytics.backfill_mirror_objects where batch_id = 'published' order by 1`,
    );
    expect(manifest.objects.map(({ key, size, sha256 }) => ({ key, size, sha256 }))).toEqual(rows);
  });

  it('adds nothing when it is asked again', async () => {
    const receipts = async () =>
      (
        await pipeline.sql.query(
          'select store, batch_id, rows, objects, last_at from analytics.backfill_erasure_receipts order by 1, 2',
        )
      ).rows;
    const before = await receipts();
    const { erasureId } = await forget(pipeline.runtime, GONE);
    expect(erasureId).toBe(1);
    await erased(pipeline.sql, erasureId);
    expect(await receipts()).toEqual(before);
  }, 60_000);

  it('publishes what was waiting, restores an old snapshot, replays old logs, and nobody comes back', async () => {
    const { runtime, sql } = pipeline;
    const gone = pseudonymsOf(runtime, GONE);
    const stays = pseudonymsOf(runtime, STAYS);
    await pipeline.change('waiting', 'awaiting_publish_approval', 'publishing');
    await pipeline.rest('waiting', ['published']);
    // What was live before 'second': with the events of both from 'published'.
    await sql.query(`delete from analytics.events_log where batch_id = 'published'`);
    await withTransaction(runtime.pool, 'test', (client) =>
      client.query(`update analytics.backfill_batches set rollback_mode = 'snapshot' where batch_id = 'second'`),
    );
    await pipeline.change('second', 'published', 'rolling_back');
    await pipeline.rest('second', ['rolled_back']);
    const { rows } = await sql.query(
      `select batch_id, count(*)::int as n from analytics.events where subject_id = any ($1) group by 1 order by 1`,
      [stays],
    );
    expect(rows).toEqual([
      { batch_id: 'published', n: 11 },
      { batch_id: 'waiting', n: 11 },
      { batch_id: null, n: 1 },
    ]);
    await withTransaction(runtime.pool, 'test', (client) => resumeBatch(client, 'undone'));
    await pipeline.rest('undone', ['awaiting_publish_approval']);
    await publish('again', mixedFiles(50, 60));
    expect(await findAnywhere(pipeline, runtime, [GONE, ...gone])).toEqual([]);
    expect(await balanceOf('again')).toMatchObject({ read: 28, suppressed: 14, inserted: 11, filtered: 1 });
  }, 240_000);
});
