import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Replay } from '@backfill/core/transform/replay';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ACCESS_WINDOW, accessLog } from '../support/access-log.ts';
import { APP_WINDOW, appLogs } from '../support/app-logs.ts';
import { runCommandLine } from '../support/command-line.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';

// Each call of the command line is a process of its own, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 180_000 });

const LOGS = appLogs(60);

let pipeline: Pipeline;
let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'backfill-transform-'));
  pipeline = await startPipeline({ env: { TRANSFORMER_PART_LINES: '50', TRANSFORMER_CHUNK_BYTES: '20000' } });
  await runApp('b1', LOGS);
});
afterAll(async () => {
  await pipeline.dispose();
  await rm(dir, { recursive: true });
});

async function runApp(batchId: string, files: Record<string, Buffer>) {
  await pipeline.upload(batchId, files);
  await pipeline.submit({ batchId, source: 'app', window: APP_WINDOW });
  return pipeline.rest(batchId);
}

const transform = (args: string[], env: Record<string, string> = {}) =>
  runCommandLine(['transform', ...args], { ...pipeline.env, ...env });

const out = (name: string) => path.join(dir, name);
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

async function replay(batchId: string, name: string): Promise<{ code: number; data: Replay; lines: string[] }> {
  const { code, stdout } = await transform(['--replay', '--batch-id', batchId, '--output', out(name), '--json']);
  const lines = (await readFile(out(name), 'utf8')).split('\n').slice(0, -1);
  return { code, data: JSON.parse(stdout) as Replay, lines };
}

const input = () => `s3://${pipeline.runtime.config.storage.rawBucket}/b1/`;

describe('transform --input', () => {
  it('writes the events that the batch has, in the form of the contract', async () => {
    const { code, stdout } = await transform(['--input', input(), '--source', 'app', '--output', out('events.ndjson')]);
    expect(code).toBe(0);
    const bytes = await readFile(out('events.ndjson'));
    expect(stdout).toContain(`(sha256 ${sha256(bytes)})`);
    const lines = bytes.toString('utf8').split('\n').slice(0, -1);
    const events = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    for (const [index, event] of events.entries()) {
      expect(Object.keys(event)).toEqual([
        ...['event_id', 'source', 'event_name', 'schema_version', 'event_ts', 'session_id', 'subject_id', 'payload'],
        ...['source_file', 'line_no'],
      ]);
      const payload = /"payload":(.*),"source_file"/.exec(lines[index] ?? '')?.[1] ?? '';
      expect(String(event.event_id)).toMatch(new RegExp(`:\\\\x${sha256(Buffer.from(payload))}$`));
    }
    const inWindow = events.filter(({ event_ts: time }) => {
      return String(time) >= '2026-11-01T00:00:00.000Z' && String(time) < '2026-11-02T00:00:00.000Z';
    });
    const { rows } = await pipeline.sql.query(
      `select event_id, source_file, line_no::int from analytics.backfill_lineage
        where batch_id = 'b1' order by source_file, line_no`,
    );
    expect(inWindow.map(({ event_id, source_file, line_no }) => ({ event_id, source_file, line_no }))).toEqual(rows);
    expect(rows.length).toBeGreaterThan(100);
    const checked = await runCommandLine(['taxonomy', 'validate', out('events.ndjson')], pipeline.env);
    expect([checked.code, checked.stderr]).toEqual([0, '']);
  });

  it('gives the same bytes as a replay, in another time zone and language too', async () => {
    const window = ['--start', APP_WINDOW.start, '--end', APP_WINDOW.end];
    const call = ['--input', input(), '--source', 'app', ...window, '--output'];
    for (const [name, env] of [
      ['here', {}],
      ['auckland', { TZ: 'Pacific/Auckland', LC_ALL: 'tr_TR.UTF-8', LANG: 'tr_TR.UTF-8' }],
    ] as const) {
      expect((await transform([...call, out(name)], env)).code).toBe(0);
    }
    await replay('b1', 'again');
    const [here, auckland, again] = await Promise.all(['here', 'auckland', 'again'].map((name) => readFile(out(name))));
    expect(here?.length).toBeGreaterThan(10_000);
    expect(auckland?.equals(here ?? Buffer.alloc(0))).toBe(true);
    expect(again?.equals(here ?? Buffer.alloc(0))).toBe(true);
  });

  it('leaves no file behind when it fails, and says why', async () => {
    const call = (prefix: string, source: string) =>
      transform(['--input', prefix, '--source', source, '--output', out('none.ndjson')]);
    const { rawBucket } = pipeline.runtime.config.storage;
    const failures = [
      await call(`s3://${rawBucket}/nothing/`, 'app'),
      await call(input(), 'nobody'),
      await call('s3://no-such-bucket-here/b1/', 'app'),
    ];
    expect(failures.map(({ code }) => code)).toEqual([1, 1, 1]);
    expect(failures[0]?.stderr).toMatch(/there is no object under/);
    expect(failures[1]?.stderr).toMatch(/there is no source nobody; there are: app, /);
    expect(failures[2]?.stderr).toMatch(/^there is no bucket no-such-bucket-here$/m);
    expect((await readdir(dir)).filter((name) => name.startsWith('none'))).toEqual([]);
  });
});

describe('transform --replay', () => {
  it('makes every part again, byte by byte', async () => {
    const { code, data } = await replay('b1', 'replay.ndjson');
    expect(code).toBe(0);
    const { rows } = await pipeline.sql.query<{ parts: number; lines: number; events: number }>(
      `select count(*)::int as parts, sum(line_count)::int as lines, sum(event_count)::int as events
         from analytics.backfill_import_parts where batch_id = 'b1'`,
    );
    const [ledger] = rows;
    expect(ledger?.parts).toBeGreaterThan(3);
    expect(data).toMatchObject({ ...ledger, parts_identical: ledger?.parts, differences: [], suppressed_since: [] });
  });

  it('lists who was suppressed since, leaves their events out, and still finds every part the same', async () => {
    await runApp('b2', LOGS);
    const before = await replay('b2', 'before.ndjson');
    const { rows } = await pipeline.sql.query<{ subject_id: string; events: number }>(
      `select subject_id, count(*)::int as events from analytics.events_backfill_staging
        where batch_id = 'b2' and subject_id is not null group by 1 order by 2 desc, 1 limit 1`,
    );
    const [person] = rows;
    await pipeline.sql.query(`insert into analytics.privacy_suppressions values ($1, 'erasure')`, [person?.subject_id]);
    const after = await replay('b2', 'after.ndjson');
    expect(after.code).toBe(0);
    expect(after.data).toMatchObject({ differences: [], suppressed_since: [person] });
    expect(after.lines).toEqual(before.lines.filter((line) => !line.includes(`"subject_id":"${person?.subject_id}"`)));

    // A batch that was transformed under the suppression counts its lines as suppressed, then and now.
    await runApp('b3', LOGS);
    const third = await replay('b3', 'third.ndjson');
    expect(third.data).toMatchObject({ differences: [], suppressed_since: [], suppression_lifted: 0 });
    await pipeline.sql.query('delete from analytics.privacy_suppressions');
    const lifted = await replay('b3', 'lifted.ndjson');
    expect(lifted.data).toMatchObject({ differences: [], suppression_lifted: person?.events });
    expect(lifted.lines).toEqual(third.lines);
  });

  it('lists who was suppressed between the import and the publish, too', async () => {
    await pipeline.config.editPolicy((policy) => {
      policy.gates.default.max_newly_suppressed = 0.1;
    });
    await pipeline.upload('left-out', { 'a.log': accessLog(0, 30) });
    await pipeline.submit({ batchId: 'left-out', source: 'web-access', window: ACCESS_WINDOW });
    await pipeline.rest('left-out', ['awaiting_publish_approval']);
    await pipeline.sql.query(
      `insert into analytics.privacy_suppressions (subject_id, reason)
       select subject_id, 'erasure' from analytics.events_backfill_staging where batch_id = 'left-out' order by 1 limit 1`,
    );
    await pipeline.change('left-out', 'awaiting_publish_approval', 'publishing');
    expect((await pipeline.rest('left-out', ['published'])).row_count).toBe(29);
    const { code, data } = await replay('left-out', 'left-out.ndjson');
    await pipeline.sql.query('delete from analytics.privacy_suppressions');
    expect([code, data.differences, data.events]).toEqual([0, [], 29]);
    expect(data.suppressed_since).toMatchObject([{ events: 1 }]);
  });

  it('names the part that is not what it was', async () => {
    await runApp('b4', LOGS);
    const { store, config } = pipeline.runtime;
    const changed = Buffer.from(
      (LOGS['a.ndjson'] ?? '').toString('utf8').replace('"result_count":98', '"result_count":97'),
    );
    expect(changed.equals(LOGS['a.ndjson'] ?? changed)).toBe(false);
    await store.put(config.storage.archiveBucket, 'raw/b4/a.ndjson', changed, 'text/plain');
    const { code, data } = await replay('b4', 'changed.ndjson');
    expect(code).toBe(1);
    expect(data.differences).toEqual([expect.objectContaining({ source_file: 'a.ndjson', what: 'sha256' })]);
    expect(data.parts_identical).toBe(data.parts - 1);
  });

  it('says what it cannot replay', async () => {
    const { code, stderr } = await transform(['--replay', '--batch-id', 'unknown', '--output', out('x')]);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/there is no batch unknown/)]);
    const salt = { ANALYTICS_SALT_FILE: '', ANALYTICS_SALT: 'another secret of some length' };
    const wrongKey = await transform(['--replay', '--batch-id', 'b1', '--output', out('x')], salt);
    expect([wrongKey.code, wrongKey.stderr]).toEqual([1, expect.stringMatching(/analytics_salt/)]);
  });
});
