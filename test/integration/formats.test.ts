import { randomBytes } from 'node:crypto';
import { zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ACCESS_WINDOW, accessLog } from '../support/access-log.ts';
import { FORMAT_SAMPLES, type FormatSample } from '../support/format-samples.ts';
import { writeFormatSource } from '../support/format-source.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';

let pipeline: Pipeline;
beforeAll(async () => {
  // Smaller than each plain file, so that most chunks begin behind its header.
  pipeline = await startPipeline({ env: { TRANSFORMER_CHUNK_BYTES: '500' } });
});
afterAll(() => pipeline.dispose());

const writeSource = (name: string, source: FormatSample['source']) =>
  writeFormatSource(pipeline.config.dir, name, source);

async function run(batchId: string, source: string, files: Record<string, Buffer | string>) {
  await pipeline.upload(batchId, files);
  await pipeline.submit({ batchId, source, window: ACCESS_WINDOW });
  return pipeline.rest(batchId);
}

async function rows(sql: string, batchId: string): Promise<Record<string, unknown>[]> {
  return (await pipeline.sql.query(sql, [batchId])).rows;
}

const countsOf = (batchId: string) =>
  rows(
    `select sum(line_count)::int as read, sum(event_count)::int as accepted, sum(filtered)::int as filtered,
            sum(quarantined)::int as quarantined, count(distinct chunk_id)::int as chunks
       from analytics.backfill_import_parts where batch_id = $1`,
    batchId,
  ).then(([counts]) => counts as Record<'read' | 'accepted' | 'filtered' | 'quarantined' | 'chunks', number>);

describe.each(Object.entries(FORMAT_SAMPLES).map(([name, sample], index) => ({ name, sample, id: `format-${index}` })))(
  '$name',
  ({ sample, id }) => {
    it('goes from raw records to staged events, every record accounted for', async () => {
      await writeSource(id, sample.source);
      const batch = await run(id, id, sample.files);
      expect([batch.status, batch.status_reason]).toEqual(['awaiting_publish_approval', null]);
      const { chunks, ...counts } = await countsOf(id);
      const { read, accepted, filtered, quarantine } = sample;
      expect(counts).toEqual({ read, accepted, filtered, quarantined: quarantine.length });
      const plain = Object.values(sample.files).some((file) => typeof file === 'string');
      expect(chunks).toBeGreaterThan(plain ? Object.keys(sample.files).length : 0);
      expect(
        await rows(
          `select source_file, line_no::int, reason from analytics.backfill_quarantine where batch_id = $1 order by 1, 2`,
          id,
        ),
      ).toEqual(quarantine);
      expect(await rows('select distinct format from analytics.backfill_files where batch_id = $1', id)).toEqual([
        { format: sample.format },
      ]);
      const paths = await rows(
        `select count(distinct payload -> 'properties' ->> 'path')::int as paths,
                min(event_ts)::text as first, max((payload -> 'properties' ->> 'status')::int) >= 200 as "hasStatus"
           from analytics.events_backfill_staging where batch_id = $1`,
        id,
      );
      expect(paths).toEqual([{ paths: accepted, first: expect.stringMatching(/^2026-11-01/), hasStatus: true }]);
    });
  },
);

describe('files that are not what they should be', () => {
  it('a format that the source names wrongly: the canary stops the batch, with every line in quarantine', async () => {
    const properties = { status: 'sc-status' };
    await writeSource('swapped', { format: 'cloudfront', time: { path: 'timestamp', format: 'iso' }, properties });
    const batch = await run('swapped', 'swapped', { 'a.log': accessLog(0, 20) });
    expect([batch.status, batch.canary_passed]).toEqual(['halted', false]);
    const { read, quarantined } = await countsOf('swapped');
    expect(quarantined).toBe(read);
    const reasons = 'select distinct reason from analytics.backfill_quarantine where batch_id = $1';
    expect(await rows(reasons, 'swapped')).toEqual([{ reason: 'parse: no_fields_header' }]);
  });

  it('random bytes: refused by name where nothing tells their format', async () => {
    const { source } = FORMAT_SAMPLES['a combined log'] as FormatSample;
    await writeSource('random', source);
    const batch = await run('random', 'random', { 'a.bin': Buffer.concat([Buffer.from([0]), randomBytes(5_000)]) });
    expect(batch.status).toBe('failed');
    expect(batch.status_reason).toMatch(/random\/a\.bin looks like none of ndjson, .*csv/);
  });

  it.each([
    'ndjson, plain, as gzip of several members and as zstd of several frames',
    'concatenated JSON with a record that is cut',
    'CSV with quoted line ends, and a quote that is never closed',
  ])('random bytes behind good records of %s: nothing is lost and nothing made up', async (name) => {
    const { source, files, format, accepted } = FORMAT_SAMPLES[name] as FormatSample;
    const id = `noise-${format}`;
    await writeSource(id, { ...source, format });
    const batch = await run(id, id, { ...files, 'z.bin': Buffer.concat([Buffer.from('"\n'), randomBytes(20_000)]) });
    expect([batch.status, batch.status_reason]).toEqual(['awaiting_publish_approval', null]);
    const counts = await countsOf(id);
    expect(counts.accepted).toBe(accepted);
    expect(counts.read).toBe(counts.accepted + counts.filtered + counts.quarantined);
    expect(
      await rows('select sum(line_count)::int as read from analytics.backfill_files where batch_id = $1', id),
    ).toEqual([{ read: counts.read }]);
  });

  it.each([
    ['concatenated JSON with a record that is cut', '{"at":"2026-11-01T10:00:00Z","path":"', '"}', 1],
    ['CSV with quoted line ends, and a quote that is never closed', '2026-11-01T10:00:00Z;"', '";200;x\n', 2],
  ])('a record of 50 MB behind good ones of %s, compressed', async (name, before, after, lineNo) => {
    const { source, format, files } = FORMAT_SAMPLES[name] as FormatSample;
    const id = `giant-${format}`;
    await writeSource(id, source);
    const giant = [Buffer.from(before), Buffer.alloc(50 * 1024 * 1024, 'x'), Buffer.from(after)];
    const header = format === 'csv' ? 'at;path;code;note\n' : '';
    const good =
      format === 'csv' ? '2026-11-01T10:00:00Z;/a;200;x\n' : '{"at":"2026-11-01T10:00:00Z","path":"/a","code":200}';
    const bytes = Buffer.concat([Buffer.from(header), ...giant, Buffer.from(good)]);
    const batch = await run(id, id, { ...files, 'z.zst': zstdCompressSync(bytes) });
    expect([batch.status, batch.status_reason]).toEqual(['awaiting_publish_approval', null]);
    const found = await rows(
      `select line_no::int, reason from analytics.backfill_quarantine where batch_id = $1 and source_file = 'z.zst'`,
      id,
    );
    expect(found).toEqual([{ line_no: lineNo, reason: 'line_too_long' }]);
    expect(
      await rows(
        `select line_no::int from analytics.backfill_lineage where batch_id = $1 and source_file = 'z.zst'`,
        id,
      ),
    ).toEqual([{ line_no: lineNo + 1 }]);
  });

  it('zstd that is cut in its second frame, with the last whole line', async () => {
    const { source } = FORMAT_SAMPLES['a combined log'] as FormatSample;
    await writeSource('cut-zstd', source);
    const frames = [zstdCompressSync(accessLog(0, 10)), zstdCompressSync(accessLog(10, 20))];
    const batch = await run('cut-zstd', 'cut-zstd', { 'a.zst': Buffer.concat(frames).subarray(0, -4) });
    expect(batch.status).toBe('failed');
    expect(batch.status_reason).toMatch(
      /a\.zst cannot be read to its end: its zstd data is cut or damaged after line \d+/,
    );
  });
});
