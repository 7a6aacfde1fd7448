import { execFile, spawn } from 'node:child_process';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi, type TestApi } from '../support/api.ts';
import { eventLine, WINDOW } from '../support/app-events.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';
import { waitFor } from '../support/wait-for.ts';
import { type Prometheus, RULES, startPrometheus } from './prometheus.ts';

const run = promisify(execFile);

describe('the rules', () => {
  it('fire when they should and not before, by promtool', async () => {
    const { stdout } = await run('promtool', ['test', 'rules', path.join(path.dirname(RULES), 'alerts.test.yml')]);
    expect(stdout).toContain('SUCCESS');
  });
});

/** Lines of the events from a number on, the first ones of them written twice. */
function logOf(first: number, events: number, repeats: number): string {
  const lines = (count: number) => Array.from({ length: count }, (_, n) => `${eventLine(first + n)}\n`).join('');
  return lines(events) + lines(repeats);
}

describe('batches, scraped from the API by a real Prometheus', () => {
  let pipeline: Pipeline;
  let api: TestApi;
  let prometheus: Prometheus;
  beforeAll(async () => {
    pipeline = await startPipeline();
    api = await startApi({ environment: pipeline, config: pipeline.config });
    prometheus = await startPrometheus([new URL(api.url).host]);
  });
  afterAll(async () => {
    await prometheus?.stop();
    await api?.dispose();
    await pipeline?.dispose();
  });

  const submit = async (batchId: string, first: number, events: number, repeats: number) => {
    await pipeline.upload(batchId, { 'a.ndjson': logOf(first, events, repeats) });
    await pipeline.submit({ batchId, source: 'app', window: WINDOW });
    return pipeline.rest(batchId);
  };
  const value = async (expression: string) => (await prometheus.query(expression))[0]?.value;
  const firing = async (alert: string) =>
    (await prometheus.query(`ALERTS{alertname="${alert}",alertstate="firing"}`)).map(({ metric }) => metric.batch_id);

  it('fires at 0.2 % of duplicates in a batch, and not at 0.05 %', async () => {
    await submit('few', 0, 1_999, 1);
    await submit('many', 5_000, 998, 2);
    await waitFor('the alert', async () => ((await firing('BackfillDuplicateRateHigh')).length > 0 ? true : undefined));
    expect(await value('backfill_duplicate_ratio{batch_id="few"}')).toBe(0.0005);
    expect(await value('backfill_duplicate_ratio{batch_id="many"}')).toBe(0.002);
    expect(await value('backfill_duplicate_events{batch_id="many",kind="same_batch"}')).toBe(2);
    expect(await value('backfill_staged_events{batch_id="many"}')).toBe(1_000);
    // Whatever is judged after both were seen.
    const seen = Date.now();
    await waitFor('the rules to be judged anew', async () =>
      ((await value('min(timestamp(backfill_duplicate_ratio))')) ?? 0) * 1_000 > seen + 2_000 ? true : undefined,
    );
    expect(await firing('BackfillDuplicateRateHigh')).toEqual(['many']);
  });

  it('tells which gate a batch has not passed, and how long its window is frozen', async () => {
    await waitFor('the gate', async () =>
      (await value('backfill_gate_passed{batch_id="many",gate="duplicates"}')) === 0 ? true : undefined,
    );
    expect(await firing('BackfillGateFailed')).toContain('many');
    expect(await value('backfill_gate_passed{batch_id="few",gate="duplicates"}')).toBe(1);
    expect(await value('backfill_batch_info{batch_id="many",status="gates_failed"}')).toBe(1);
    expect(await value('backfill_freeze_age_seconds{batch_id="many"}')).toBeGreaterThan(0);
  });

  it('has the queues, and nothing to do for anybody', async () => {
    expect(await prometheus.query('bullmq_job_count{queue="verification",state="waiting"}')).toMatchObject([
      { value: 0 },
    ]);
    expect(await value('sum(backfill_backlog_bytes)')).toBe(0);
    expect(await value('backfill_oldest_open_chunk_age_seconds{stage="import"}')).toBe(0);
    expect(await value('min(backfill_exporter_up)')).toBe(1);
  });

  it('says the same of batches when the API was restarted and Redis has forgotten everything', async () => {
    const readBatches = async (url: string) =>
      (await (await fetch(`${url}/metrics`)).text()).split('\n').filter((line) => line.includes('{batch_id='));
    const isOfTime = (line: string) => line.startsWith('backfill_freeze_age');
    const before = (await readBatches(api.url)).filter((line) => !isOfTime(line));
    expect(before.length).toBeGreaterThan(20);
    const redis = new Redis(pipeline.env.REDIS_URL ?? '');
    await redis.flushall();
    redis.disconnect();
    const again = await startApi({ environment: pipeline, config: pipeline.config, tokens: false });
    try {
      expect((await readBatches(again.url)).filter((line) => !isOfTime(line))).toEqual(before);
    } finally {
      await again.dispose();
    }
  });

  it('writes metrics as Prometheus wants them', async () => {
    const body = await (await fetch(`${api.url}/metrics`)).text();
    const child = spawn('promtool', ['check', 'metrics'], { stdio: ['pipe', 'ignore', 'pipe'] });
    child.stdin.end(body);
    const said = (await text(child.stderr)).split('\n').filter((line) => line !== '');
    // Names that BullMQ and the client library have given; what cannot be read at all is an error of parsing.
    expect(said.filter((line) => !/^(bullmq|nodejs)_\w+ non-/.test(line))).toEqual([]);
  });

  it('forgets a batch a day after its end', async () => {
    await pipeline.change('few', 'awaiting_publish_approval', 'rolling_back');
    await pipeline.rest('few', ['rolled_back']);
    const told = async () => (await (await fetch(`${api.url}/metrics`)).text()).includes('batch_id="few"');
    expect(await told()).toBe(true);
    await pipeline.sql.query(`alter table analytics.backfill_batches disable trigger user`);
    await pipeline.sql.query(
      `update analytics.backfill_batches set completed_at = now() - interval '25 hours' where batch_id = 'few'`,
    );
    await pipeline.sql.query(`alter table analytics.backfill_batches enable trigger user`);
    await waitFor('the batch to be forgotten', async () => ((await told()) ? undefined : true));
  });
});
