import { execFile, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { BATCH_STATUSES } from '@backfill/core/domain/batch-status';
import { REPOSITORY_ROOT } from '@backfill/infra/repository';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { startApi, type TestApi } from '../support/api.ts';
import { eventLine, WINDOW } from '../support/app-events.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';
import { waitFor } from '../support/wait-for.ts';
import { type PanelQuery, readPanelQueries } from './panel-queries.ts';
import { CONFIG, type Prometheus, RULES, startPrometheus } from './prometheus.ts';
import { findSelectors } from './selectors.ts';

const run = promisify(execFile);

interface Rule {
  alert: string;
  expr: string;
  labels: { severity: string };
  annotations: { summary: string; runbook_url: string };
}

async function readRules(): Promise<Rule[]> {
  const { groups } = parse(await readFile(RULES, 'utf8')) as { groups: { rules: Rule[] }[] };
  return groups.flatMap(({ rules }) => rules);
}

describe('the rules', () => {
  it('fire when they should and not before, by promtool', async () => {
    const { stdout } = await run('promtool', ['test', 'rules', path.join(path.dirname(RULES), 'alerts.test.yml')]);
    expect(stdout).toContain('SUCCESS');
  });

  it('are scraped for by a configuration that is valid', async () => {
    expect((await run('promtool', ['check', 'config', CONFIG])).stdout).toContain('is valid prometheus config file');
  });

  it('each have a section in the runbook, and a test', async () => {
    const alerts = (await readRules()).map(({ alert }) => alert);
    const runbook = await readFile(path.join(REPOSITORY_ROOT, 'docs/runbook.md'), 'utf8');
    const tests = await readFile(path.join(path.dirname(RULES), 'alerts.test.yml'), 'utf8');
    for (const { alert, annotations } of await readRules()) {
      expect(annotations.runbook_url).toBe(`docs/runbook.md#${alert.toLowerCase()}`);
      expect(tests).toContain(`alertname: ${alert}\n`);
    }
    const sections = [...runbook.matchAll(/^#+ (Backfill[A-Za-z]+)$/gm)].map(([, name]) => name);
    expect(sections.sort()).toEqual(alerts.sort());
  });
});

/** Lines of the events from a number on, the first ones of them written twice. */
function logOf(first: number, events: number, repeats: number): string {
  const lines = (count: number) => Array.from({ length: count }, (_, n) => `${eventLine(first + n)}\n`).join('');
  return lines(events) + lines(repeats);
}

/** What is read at last: as soon as it is good, or after a while. */
async function settle<T>(read: () => Promise<T>, isGood: (value: T) => boolean): Promise<T> {
  const good = waitFor('it', async () => {
    const value = await read();
    return isGood(value) ? { value } : undefined;
  });
  const { value } = await good.catch(async () => ({ value: await read() }));
  return value;
}

describe('batches, scraped from the API by a real Prometheus', () => {
  let pipeline: Pipeline;
  let api: TestApi;
  let prometheus: Prometheus;
  beforeAll(async () => {
    pipeline = await startPipeline();
    api = await startApi({ environment: pipeline, config: pipeline.config });
    prometheus = await startPrometheus([{ service: 'api', url: api.url }, ...pipeline.workers]);
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
  // Under load a scrape may fail, and then nothing is there until the next one.
  const value = (expression: string) => waitFor(expression, async () => (await prometheus.query(expression))[0]?.value);
  const firing = (alert: string) =>
    settle(
      async () => {
        const alerts = await prometheus.query(`ALERTS{alertname="${alert}",alertstate="firing"}`);
        return alerts.map(({ metric }) => metric.batch_id);
      },
      ({ length }) => length > 0,
    );

  it('fires at 0.2 % of duplicates in a batch, and not at 0.05 %', async () => {
    await submit('few', 0, 1_999, 1);
    await submit('many', 5_000, 998, 2);
    expect(await firing('BackfillDuplicateRateHigh')).toContain('many');
    expect(await value('backfill_duplicate_ratio{batch_id="few"}')).toBe(0.0005);
    expect(await value('backfill_duplicate_ratio{batch_id="many"}')).toBe(0.002);
    expect(await value('backfill_duplicate_events{batch_id="many",kind="same_batch"}')).toBe(2);
    expect(await value('backfill_staged_events{batch_id="many"}')).toBe(1_000);
    // Whatever is judged after both were seen.
    const seen = Date.now();
    await waitFor('the rules to be judged anew', async () =>
      (await value('min(timestamp(backfill_duplicate_ratio))')) * 1_000 > seen + 2_000 ? true : undefined,
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

  it('has data for each panel of each dashboard', async () => {
    await submit('published', 10_000, 100, 0);
    // Over with the publish.
    await value('backfill_freeze_age_seconds{batch_id="published"}');
    await pipeline.change('published', 'awaiting_publish_approval', 'publishing');
    await pipeline.rest('published', ['published']);
    const queries = await readPanelQueries({ batch_id: 'many', __rate_interval: '10s' });
    expect(queries.length).toBeGreaterThan(40);
    let empty = queries;
    // Rates need two scrapes, and a scrape may fail.
    const left = await settle(
      async () => {
        const found = await Promise.all(empty.map(({ expression }) => prometheus.query(expression)));
        empty = empty.filter((_query, index) => found[index]?.length === 0);
        return empty;
      },
      ({ length }) => length === 0,
    );
    expect(left).toEqual([]);
  });

  it('knows each metric, label and value that a panel or a rule asks for', async () => {
    const rules = (await readRules()).map(({ alert, expr }): PanelQuery => ({ where: alert, expression: expr }));
    const panels = await readPanelQueries({ batch_id: 'published', __rate_interval: '10s' });
    const statuses = [...rules, ...panels].flatMap(({ expression }) => [...expression.matchAll(/status=~?"([^"]+)"/g)]);
    expect(statuses.length).toBeGreaterThan(2);
    expect(BATCH_STATUSES).toEqual(expect.arrayContaining(statuses.flatMap(([, names = '']) => names.split('|'))));
    let unknown = [...rules, ...panels].flatMap(({ where, expression }) =>
      findSelectors(expression, ['status']).map((selector) => ({ where, selector })),
    );
    expect(unknown.length).toBeGreaterThan(40);
    // What came with the publish is there from the next scrape on.
    const left = await settle(
      async () => {
        const found = await Promise.all(
          unknown.map(({ selector }) => prometheus.query(`last_over_time(${selector}[10m])`)),
        );
        unknown = unknown.filter((_selector, index) => found[index]?.length === 0);
        return unknown;
      },
      ({ length }) => length === 0,
    );
    expect(left).toEqual([]);
  });

  it('has no metric that the documentation does not tell of, and the other way round', async () => {
    const described = await readFile(path.join(REPOSITORY_ROOT, 'docs/metrics.md'), 'utf8');
    const names = new Set<string>();
    for (const url of [api.url, ...pipeline.workers.map((worker) => worker.url)]) {
      const body = await (await fetch(`${url}/metrics`)).text();
      for (const [, name = ''] of body.matchAll(/^# TYPE ((?:backfill|bullmq)_\w+)/gm)) names.add(name);
    }
    const rows = described.split('\n').filter((line) => line.startsWith('| `'));
    const told = rows.flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map(([, name]) => name));
    expect(told.sort()).toEqual([...names].sort());
  });

  it('has the queues, and nothing to do for anybody', async () => {
    expect(await value('bullmq_job_count{queue="verification",state="waiting"}')).toBe(0);
    expect(await value('sum(backfill_backlog_bytes)')).toBe(0);
    expect(await value('backfill_oldest_open_chunk_age_seconds{stage="import"}')).toBe(0);
    expect(await value('min(backfill_exporter_up)')).toBe(1);
  });

  it('says the same of batches when the API was restarted and Redis has forgotten everything', async () => {
    const readBatches = async (url: string) =>
      (await (await fetch(`${url}/metrics`)).text()).split('\n').filter((line) => line.includes('{batch_id='));
    const isOfTime = (line: string) => line.startsWith('backfill_freeze_age');
    // The API keeps what it has read for a second.
    const before = await waitFor('the end of the publish', async () => {
      const lines = (await readBatches(api.url)).filter((line) => !isOfTime(line));
      return lines.includes('backfill_batch_info{batch_id="published",status="published"} 1') ? lines : undefined;
    });
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

  it.each([0, 1, 2, 3, 4])('writes metrics as Prometheus wants them (service %i)', async (number) => {
    const urls = [api.url, ...pipeline.workers.map(({ url }) => url)];
    expect(urls).toHaveLength(5);
    const body = await (await fetch(`${urls[number]}/metrics`)).text();
    expect(body).toContain('process_cpu_seconds_total');
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
