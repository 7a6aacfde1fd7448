import { createHash, createSecretKey } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { pseudonym } from '@backfill/core/recipe/pseudonym';
import type { DryRun } from '@backfill/core/transform/dry-run';
import type { Replay } from '@backfill/core/transform/replay';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ACCESS_WINDOW } from '../support/access-log.ts';
import { APP_WINDOW, appLines, appLogs } from '../support/app-logs.ts';
import { runCommandLine } from '../support/command-line.ts';
import { batchDigest } from '../support/digest.ts';
import { FORMAT_SAMPLES } from '../support/format-samples.ts';
import { writeFormatSource } from '../support/format-source.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';

// The same files of the same sources, once from the EU and once from outside, where they are cut into small chunks.
type Region = 'eu' | 'non-eu';
type Files = Record<string, Buffer | string>;
interface Logs {
  batchId: string;
  source: string;
  window: { start: string; end: string };
  files: Files;
}

const MIB = 1024 * 1024;
const REQUESTS = FORMAT_SAMPLES['ndjson, plain, as gzip of several members and as zstd of several frames'];
const ACCESS = FORMAT_SAMPLES['a combined log'];
const repeated = Buffer.from(ACCESS?.files['access.log'] ?? '');
const logs: Logs[] = [
  { batchId: 'requests', source: 'requests', window: ACCESS_WINDOW, files: REQUESTS?.files ?? {} },
  {
    ...{ batchId: 'counted', source: 'counted', window: ACCESS_WINDOW },
    files: { 'a.log': Buffer.concat([repeated, repeated]), 'b.log.gz': gzipSync(Buffer.concat([repeated, repeated])) },
  },
];

const LINES = appLines(20);
const parsed = LINES.filter((line) => line.includes('"user"') && line.startsWith('{"')).map((line) => JSON.parse(line));
const search = parsed.find(({ name }) => name === 'Search Performed');
const someone: string = search.user.id;
const broken = [someone, 'somebody-else'].map((id, number) => ({
  ...{ ...search, id: `broken-${number}`, user: { id }, data: { query: 7, result_count: 'many' } },
}));
const appFiles: Files = {
  ...appLogs(20),
  'c.ndjson': broken.map((event) => `${JSON.stringify(event)}\n`).join(''),
};
logs.push({ batchId: 'app', source: 'app', window: APP_WINDOW, files: appFiles });

async function suppress(pipeline: Pipeline): Promise<string> {
  const salt = (await readFile(pipeline.env.ANALYTICS_SALT_FILE ?? '', 'utf8')).trim();
  const subject = pseudonym(createSecretKey(Buffer.from(salt)), 1, 'user', someone);
  await pipeline.sql.query(
    `insert into analytics.privacy_suppressions (subject_id, reason, effective_from) values ($1, 'objection', now())`,
    [subject],
  );
  return subject;
}

async function start(region: Region, chunkBytes: number): Promise<Pipeline> {
  const env = { TRANSFORMER_CHUNK_BYTES: String(chunkBytes), TRANSFORMER_CONCURRENCY: '4' };
  const pipeline = await startPipeline({ env });
  const { dir } = pipeline.config;
  if (REQUESTS !== undefined) await writeFormatSource(dir, 'requests', REQUESTS.source, { region });
  if (ACCESS !== undefined) {
    await writeFormatSource(dir, 'counted', ACCESS.source, { region, identity: 'payload+occurrence' });
  }
  const app = path.join(dir, 'sources/app.yaml');
  await writeFile(app, (await readFile(app, 'utf8')).replace('region: eu', `region: ${region}`));
  return pipeline;
}

async function query(pipeline: Pipeline, sql: string, batchId: string): Promise<Record<string, unknown>[]> {
  return (await pipeline.sql.query(sql, [batchId])).rows;
}

const OUTCOMES = `
  select f.source_file, f.sha256, f.line_count::int, sum(p.event_count)::int as accepted,
         sum(p.suppressed)::int as suppressed, sum(p.filtered)::int as filtered, sum(p.quarantined)::int as quarantined
    from analytics.backfill_files f join analytics.backfill_import_parts p using (batch_id, file_no)
   where f.batch_id = $1 group by 1, 2, 3 order by 1`;

/** Everything that a batch of these logs leaves behind, by outcome and by event. */
async function run(pipeline: Pipeline, { batchId, source, window, files }: Logs) {
  await pipeline.upload(batchId, files);
  await pipeline.submit({ batchId, source, window });
  const { status, status_reason } = await pipeline.rest(batchId);
  return {
    rest: [status, status_reason],
    digest: await batchDigest(pipeline.sql, batchId),
    outcomes: await query(pipeline, OUTCOMES, batchId),
  };
}

async function mirrorOf(pipeline: Pipeline, batchId: string): Promise<Map<string, Buffer>> {
  const { store, config } = pipeline.runtime;
  const bucket = config.storage.archiveBucket;
  const objects = new Map<string, Buffer>();
  for await (const { key } of store.list(bucket, `raw/${batchId}/`)) {
    const blocks: Buffer[] = [];
    for await (const block of await store.get(bucket, key)) blocks.push(block as Buffer);
    objects.set(key.slice(`raw/${batchId}/`.length), Buffer.concat(blocks));
  }
  return objects;
}

const sha256 = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex');

async function runAll(pipeline: Pipeline): Promise<Record<string, Awaited<ReturnType<typeof run>>>> {
  const byBatch: Record<string, Awaited<ReturnType<typeof run>>> = {};
  for (const one of logs) byBatch[one.batchId] = await run(pipeline, one);
  return byBatch;
}

let eu: Pipeline;
let abroad: Pipeline;
let suppressed: string;
let results: Awaited<ReturnType<typeof runAll>>[];
beforeAll(async () => {
  eu = await start('eu', 64 * MIB);
  abroad = await start('non-eu', 500);
  for (const pipeline of [eu, abroad]) suppressed = await suppress(pipeline);
  results = await Promise.all([eu, abroad].map(runAll));
}, 300_000);
afterAll(() => Promise.all([eu, abroad].map((pipeline) => pipeline?.dispose())), 60_000);

describe.each(logs.map((one) => ({ ...one, name: `${one.batchId}: ${Object.keys(one.files).join(', ')}` })))(
  '$name',
  (one) => {
    it('gives the same events, ids and reasons as from the EU', async () => {
      const [near, far] = results.map((byBatch) => byBatch[one.batchId]);
      expect(near?.digest['staging']).toEqual([expect.any(Number), expect.any(String)]);
      expect(far).toEqual(near);
      const chunks = 'select count(*)::int as chunks from analytics.backfill_raw_chunks where batch_id = $1';
      const [counted] = await query(abroad, chunks, one.batchId);
      expect(counted?.['chunks']).toBeGreaterThan(Object.keys(one.files).length * 3);
    });

    it('is mirrored line for line, with both checksums', async () => {
      const mirror = await mirrorOf(abroad, one.batchId);
      const manifest = JSON.parse((mirror.get('manifest.json') ?? '').toString());
      const raw = Object.entries(one.files).toSorted(([a], [b]) => (a < b ? -1 : 1));
      expect([...mirror.keys()]).toEqual([...raw.map(([name]) => name), 'manifest.json'].sort());
      const files = await query(abroad, OUTCOMES, one.batchId);
      const objects = raw.map(([key, bytes], index) => {
        const copy = mirror.get(key) ?? Buffer.alloc(0);
        const lines = copy.toString().split('\n').length - 1;
        expect([key, lines]).toEqual([key, files[index]?.['line_count']]);
        return {
          ...{ key, size: copy.length, sha256: sha256(copy), format: 'pseudonymised', lines },
          ...{ raw_size: Buffer.from(bytes).length, raw_sha256: sha256(bytes), raw_format: expect.any(String) },
        };
      });
      const checksum = (field: 'sha256' | 'raw_sha256') =>
        sha256(objects.map((object) => `${object[field]}  ${object.key}\n`).join(''));
      expect(manifest).toMatchObject({ form: 'pseudonymised', checksum: checksum('sha256'), objects });
      expect(manifest.raw_checksum).toBe(checksum('raw_sha256'));
      expect(
        await query(
          abroad,
          'select raw_checksum from analytics.backfill_batches_metadata where batch_id = $1',
          one.batchId,
        ),
      ).toEqual([{ raw_checksum: checksum('raw_sha256') }]);
    });
  },
);

it('has suppressed lines, those that would be refused too, and keeps nothing raw of anybody', async () => {
  const [, , c] = await query(abroad, OUTCOMES, 'app');
  expect(c).toMatchObject({ source_file: 'c.ndjson', accepted: 0, suppressed: 1, quarantined: 1 });
  const mirror = await mirrorOf(abroad, 'app');
  mirror.delete('manifest.json');
  const copies = Buffer.concat([...mirror.values()]).toString();
  expect(copies).toContain(suppressed);
  const raw = LINES.join('\n');
  for (const field of ['"user_agent"', '@', 'not json', someone, '"ip"']) {
    expect([field, raw.includes(field), copies.includes(field)]).toEqual([field, true, false]);
  }
  // The raw file's bytes are the mirror's where the source is in the EU.
  expect((await mirrorOf(eu, 'app')).get('b.ndjson.gz')).toEqual(appFiles['b.ndjson.gz']);
  expect(gunzipSync(appFiles['b.ndjson.gz'] ?? '').length).toBeGreaterThan(1_000);
});

const commandLine = (pipeline: Pipeline, args: string[]) => runCommandLine(['transform', ...args], pipeline.env);

describe('the command line', () => {
  it('replays a copy as the raw file, and knows who was suppressed then', async () => {
    const replays = [];
    for (const pipeline of [eu, abroad]) {
      await pipeline.sql.query('delete from analytics.privacy_suppressions');
      const output = path.join(pipeline.config.dir, 'app.ndjson');
      const { code, stdout } = await commandLine(pipeline, [
        ...['--replay', '--batch-id', 'app', '--output', output, '--json'],
      ]);
      // There are as many parts as chunks.
      const { output: _, parts, parts_identical, ...replay } = JSON.parse(stdout) as Replay & { output: string };
      expect(parts_identical).toBe(parts);
      replays.push({ code, replay, events: await readFile(output, 'utf8') });
    }
    expect(replays[0]).toMatchObject({ code: 0, replay: { differences: [], suppression_lifted: expect.any(Number) } });
    expect(replays[0]?.replay.suppression_lifted).toBeGreaterThan(1);
    expect(replays[0]?.events.length).toBeGreaterThan(1_000);
    expect(replays[1]).toEqual(replays[0]);
  }, 180_000);

  it('foretells a batch from the raw files before there is a copy, and from the copy then', async () => {
    await plan('foretold', { ...appFiles, 'empty.ndjson': '' });
    const dryRun = async () => {
      const { stdout } = await commandLine(abroad, ['--dry-run', '--batch-id', 'foretold', '--json']);
      const { summary, ...rest } = JSON.parse(stdout) as DryRun;
      return { rest, events: summary.events, quarantine: summary.quarantine, hits: summary.pii_hits.length };
    };
    const planned = await dryRun();
    expect(planned.rest).toMatchObject({ read_from: 'input', recipe: 'pinned' });
    expect(planned.hits).toBeGreaterThan(0);
    await abroad.change('foretold', 'awaiting_run_approval', 'preparing');
    await abroad.rest('foretold', ['gates_failed', 'awaiting_publish_approval']);
    // What the rules found was raw; nothing of it is left in the copy.
    expect(await dryRun()).toEqual({ ...planned, rest: { ...planned.rest, read_from: 'mirror' }, hits: 0 });
  }, 180_000);
});

/** Plans a batch of the app's logs, up to the approvals. */
async function plan(batchId: string, files: Files = appFiles): Promise<void> {
  await abroad.config.editPolicy((policy) => {
    policy.approvals.run = ['data_privacy_officer'];
  });
  await abroad.upload(batchId, files);
  await abroad.submit({ batchId, source: 'app', window: APP_WINDOW });
  await abroad.rest(batchId, ['awaiting_run_approval']);
}

describe('what is not as it was', () => {
  it('stores nothing before the approvals, and binds them to the copies', async () => {
    await plan('unsigned');
    expect([...(await mirrorOf(abroad, 'unsigned')).keys()]).toEqual([]);
    const entries = `
      select jsonb_path_query_array(plan, '$.manifest[*].copy.sha256') as copies from analytics.backfill_plans
       where batch_id = $1`;
    const copies = await mirrorOf(abroad, 'app');
    copies.delete('manifest.json');
    expect(await query(abroad, entries, 'unsigned')).toEqual([{ copies: [...copies.values()].map(sha256) }]);
  });

  it.each([
    ['a.ndjson', Buffer.from('{"other":1}\n'), /a\.ndjson was changed since it was planned: its sha256 was/],
    ['b.ndjson.gz', Buffer.from('no longer gzip'), /b\.ndjson\.gz was changed after it was pinned, and is damaged now/],
  ])('a raw %s that was exchanged behind a server without If-Match is refused by name', async (name, bytes, reason) => {
    const batchId = `exchanged-${name.replace(/\W/g, '-')}`;
    await plan(batchId);
    await abroad.upload(batchId, { [name]: bytes });
    for await (const { key, etag } of abroad.runtime.store.list(
      abroad.runtime.config.storage.rawBucket,
      `${batchId}/`,
    )) {
      await abroad.sql.query('update analytics.backfill_files set etag = $3 where batch_id = $1 and source_file = $2', [
        ...[batchId, key.slice(batchId.length + 1), etag],
      ]);
    }
    await abroad.change(batchId, 'awaiting_run_approval', 'preparing');
    expect((await abroad.rest(batchId, ['failed'])).status_reason).toMatch(reason);
  });

  it('a copy that does not come out as it was planned is refused', async () => {
    await plan('other-copy');
    const other = `update analytics.backfill_files set copy_sha256 = sha256 where batch_id = $1 and source_file = 'a.ndjson'`;
    await query(abroad, other, 'other-copy');
    await abroad.change('other-copy', 'awaiting_run_approval', 'preparing');
    expect((await abroad.rest('other-copy', ['failed'])).status_reason).toMatch(
      /the pseudonymised copy of s3:.*other-copy\/a\.ndjson has the sha256 \w+ and was planned with \w+/,
    );
  });

  it('a copy that was changed is seen by the balance gate, and not read where it could not have been written so', async () => {
    const { store, config } = abroad.runtime;
    const bucket = config.storage.archiveBucket;
    const copy = (await mirrorOf(abroad, 'requests')).get('a.json')?.toString() ?? '';
    const change = (to: string) => store.put(bucket, 'raw/requests/a.json', Buffer.from(to), 'text/plain');
    expect(copy).toContain('/page/7');
    await change(copy.replace('/page/7', '/page/8'));
    await abroad.change('requests', 'awaiting_publish_approval', 'verifying');
    expect((await abroad.rest('requests')).status).toBe('gates_failed');
    const gate = `select detail ->> 'discrepancies' as found from analytics.backfill_gate_results
                   where batch_id = $1 and gate = 'balance' and not passed`;
    expect(await query(abroad, gate, 'requests')).toEqual([
      { found: '["a.json: the mirror\'s sha256 is not the planned one"]' },
    ]);
    await change(copy.replace('"path":"/page/7"', '"user":"janequendel"'));
    const { code, stderr } = await commandLine(abroad, [
      ...['--replay', '--batch-id', 'requests', '--output', path.join(config.configDir, 'x')],
    ]);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^a\.json: line 8 of its pseudonymised copy/)]);
    expect(stderr).not.toContain('quendel');
  }, 180_000);
});
