import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { withTransaction } from '@backfill/core/db/transaction';
import { resumeBatch } from '@backfill/core/dispatch/resume-batch';
import type { DryRun } from '@backfill/core/transform/dry-run';
import type { Replay } from '@backfill/core/transform/replay';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { ACCESS_WINDOW, accessLine } from '../support/access-log.ts';
import { runCommandLine } from '../support/command-line.ts';
import { batchDigest } from '../support/digest.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';

// Each call of the command line is a process of its own, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 180_000 });

/** 600 lines of 150 kinds; how often each stands there, and where, looks like chance and is not. */
const KINDS = Array.from({ length: 600 }, (_, index) => (index * index * 7 + 3 * index) % 150);
const LINES = KINDS.map(accessLine);
const text = (lines: string[]) => `${lines.join('\n')}\n`;
const LOGS = { 'a.log': text([...LINES, 'not a log line', ...LINES.slice(0, 20)]), 'b.log': text([accessLine(900)]) };

/** Kind → how often it stood in the file up to each line, counted by hand. */
function numbersOf(kinds: number[]): number[] {
  const seen = new Map<number, number>();
  return kinds.map((kind) => {
    seen.set(kind, (seen.get(kind) ?? 0) + 1);
    return seen.get(kind) ?? 0;
  });
}

let pipeline: Pipeline;
let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'backfill-occurrence-'));
  pipeline = await startPipeline({ env: { TRANSFORMER_CHUNK_BYTES: '3000', TRANSFORMER_PART_LINES: '7' } });
});
afterAll(async () => {
  await pipeline.dispose();
  await rm(dir, { recursive: true });
});

async function run(batchId: string, files: Record<string, Buffer | string>, request: Record<string, unknown> = {}) {
  await pipeline.upload(batchId, files);
  await pipeline.submit({ batchId, source: 'web-access', window: ACCESS_WINDOW, request });
  return pipeline.rest(batchId, ['awaiting_publish_approval', 'gates_failed', 'failed', 'halted']);
}

async function publish(batchId: string) {
  await pipeline.change(batchId, 'awaiting_publish_approval', 'publishing');
  await pipeline.rest(batchId, ['published']);
}

async function staged(batchId: string) {
  const { rows } = await pipeline.sql.query<{ source_file: string; line_no: string; occurrence: number; kind: string }>(
    `select l.source_file, l.line_no, (s.payload ->> 'occurrence')::int as occurrence,
            coalesce(s.duplicate_kind, 'new') as kind
       from analytics.events_backfill_staging s join analytics.backfill_lineage l using (batch_id, event_id)
      where batch_id = $1 order by source_file, l.line_no`,
    [batchId],
  );
  return rows;
}

it('keeps every repeat of a file, each with its number, whatever the chunks and parts are', async () => {
  expect((await run('cut', LOGS)).status_reason).toBeNull();
  const rows = await staged('cut');
  const numbers = numbersOf([...KINDS, ...KINDS.slice(0, 20)]);
  expect(rows.map(({ occurrence }) => occurrence)).toEqual([...numbers, 1]);
  expect(Math.max(...numbers)).toBeGreaterThan(5);
  expect(new Set(rows.map(({ kind }) => kind))).toEqual(new Set(['new']));

  const whole = await startPipeline();
  try {
    await whole.upload('cut', LOGS);
    await whole.submit({ batchId: 'cut', source: 'web-access', window: ACCESS_WINDOW });
    await whole.rest('cut', ['awaiting_publish_approval']);
    const { rows: chunks } = await whole.sql.query('select 1 from analytics.backfill_raw_chunks');
    expect(chunks).toHaveLength(2);
    expect(await batchDigest(whole.sql, 'cut')).toEqual(await batchDigest(pipeline.sql, 'cut'));
  } finally {
    await whole.dispose();
  }
  await publish('cut');
});

it('is foretold by a dry run, replayed from the mirror and transformed without a batch to the same events', async () => {
  const call = async (args: string[]) => {
    const { code, stdout, stderr } = await runCommandLine(['transform', ...args], pipeline.env);
    expect([code, stderr]).toEqual([0, '']);
    return stdout;
  };
  const replayed = path.join(dir, 'replayed.ndjson');
  const replay = JSON.parse(await call(['--replay', '--batch-id', 'cut', '--output', replayed, '--json'])) as Replay;
  expect([replay.events, replay.parts_identical, replay.differences]).toEqual([621, replay.parts, []]);

  const { rawBucket } = pipeline.runtime.config.storage;
  const direct = path.join(dir, 'direct.ndjson');
  await call(['--input', `s3://${rawBucket}/cut/`, '--source', 'web-access', '--output', direct]);
  expect(await readFile(direct, 'utf8')).toBe(await readFile(replayed, 'utf8'));

  await pipeline.config.editPolicy((policy) => {
    policy.approvals.run = ['product_owner'];
  });
  await pipeline.upload('foretold', { 'c.log': text([...LINES.slice(0, 300), ...LINES]) });
  await pipeline.submit({ batchId: 'foretold', source: 'web-access', window: ACCESS_WINDOW });
  await pipeline.rest('foretold', ['awaiting_run_approval']);
  const dry = JSON.parse(await call(['--dry-run', '--batch-id', 'foretold', '--json'])) as DryRun;
  await pipeline.config.editPolicy((policy) => {
    policy.approvals.run = [];
  });
  const numbers = numbersOf([...KINDS.slice(0, 300), ...KINDS]);
  const known = new Set(numbersOf([...KINDS, ...KINDS.slice(0, 20)]).map((n, i) => `${[...KINDS, ...KINDS][i]}/${n}`));
  const overlap = [...KINDS.slice(0, 300), ...KINDS].filter((kind, i) => known.has(`${kind}/${numbers[i]}`)).length;
  expect(dry.duplicates).toEqual({ same_batch: 0, other_batch: overlap, live: 0 });
  expect(dry.balance.inserted).toBe(900 - overlap);
});

it('gives the same numbers again after a rollback', async () => {
  const before = await batchDigest(pipeline.sql, 'cut');
  await pipeline.change('cut', 'published', 'rolling_back');
  await pipeline.rest('cut', ['rolled_back']);
  await withTransaction(pipeline.runtime.pool, 'test', (client) => resumeBatch(client, 'cut'));
  await pipeline.rest('cut', ['awaiting_publish_approval']);
  await publish('cut');
  expect((await batchDigest(pipeline.sql, 'cut')).live).toEqual(before.live);
});

it('knows a file that is delivered again, compressed and under another name, and adds nothing', async () => {
  const again = await run('again', { 'other-name.gz': gzipSync(LOGS['a.log']) }, { max_overlap: 1 });
  expect([again.status, again.row_count]).toEqual(['awaiting_publish_approval', 0]);
  expect(new Set((await staged('again')).map(({ kind }) => kind))).toEqual(new Set(['other_batch']));
});

it('refuses files that were cut differently than before, however much overlap the submission allows', async () => {
  const halves = { '1.log': text(LINES.slice(0, 300)), '2.log': text([...LINES.slice(300), accessLine(5_000)]) };
  const recut = await run('recut', halves, { max_overlap: 1 });
  expect(recut.status).toBe('gates_failed');
  expect(recut.status_reason).toMatch(/^(duplicates: .*; )?overlap: .*files that were cut differently/);
  const { rows } = await pipeline.sql.query(
    `select threshold, passed from analytics.backfill_gate_results where batch_id = 'recut' and gate = 'overlap'`,
  );
  expect(rows).toEqual([{ threshold: 0.001, passed: false }]);
});
