import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ShownSamples } from '@backfill/core/report/page/samples-section';
import { renderReport } from '@backfill/core/report/render-report';
import type { Report } from '@backfill/core/report/report';
import {
  disputedReport,
  EMPTY_BALANCE,
  replacingReport,
  testDays,
  testFiles,
  testGate,
  testReport,
  testSamples,
} from '@backfill/core/report/report-fixture';
import { archiveLayout } from '@backfill/core/storage/layout';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessLog } from '../support/access-log.ts';
import { startApi, type TestApi } from '../support/api.ts';
import { eventLine, WINDOW } from '../support/app-events.ts';
import { deleteObject } from '../support/buckets.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';
import { runBatch } from '../support/run-batch.ts';
import { waitFor } from '../support/wait-for.ts';
import { accessProblems, DESKTOP, type Look, openPage, overflowOf, PHONE, startBrowser } from './browser.ts';

// The report in a real browser, from the API of a pipeline through which batches went.
const LOOKS: [name: string, look: Look][] = [
  ['desktop', DESKTOP],
  ['desktop, dark', { ...DESKTOP, colorScheme: 'dark' }],
  ['phone', PHONE],
  ['phone, dark', { ...PHONE, colorScheme: 'dark' }],
];

let pipeline: Pipeline;
let api: TestApi;
let browser: Browser;
let pictures: string;

beforeAll(async () => {
  pictures = await mkdtemp(path.join(tmpdir(), 'backfill-ui-'));
  process.stderr.write(`screenshots: ${pictures}\n`);
  browser = await startBrowser();
  pipeline = await startPipeline();
  api = await startApi({ environment: pipeline, config: pipeline.config });
  await runBatch(pipeline, 'ready', {
    'a.log': accessLog(0, 300),
    'b.log': `${accessLog(300, 420)}no line of a log\n`,
  });
  await runBatch(pipeline, 'live', { 'a.log': accessLog(1_000, 1_200) });
  await pipeline.change('live', 'awaiting_publish_approval', 'publishing');
  await runBatch(pipeline, 'back', { 'a.log': accessLog(2_000, 2_100) });
  await pipeline.change('back', 'awaiting_publish_approval', 'rolling_back');
  const lines = [...Array.from({ length: 9 }, (_, at) => eventLine(at)), eventLine(0)];
  await pipeline.upload('red', { 'a.ndjson': `${lines.join('\n')}\n` });
  await pipeline.submit({ batchId: 'red', source: 'app', window: WINDOW });
  const ends = { ready: 'awaiting_publish_approval', live: 'published', back: 'rolled_back', red: 'gates_failed' };
  for (const [batchId, status] of Object.entries(ends)) {
    await waitFor(`the report of ${batchId}`, async () =>
      (await api.call('GET', `/v1/batches/${batchId}/report.json`, 'viewer')).json.status === status ? true : undefined,
    );
  }
});

afterAll(async () => {
  await browser?.close();
  await api?.dispose();
  await pipeline?.dispose();
});

/** Opens a batch's report, looks at everything that must hold for every page, and keeps a picture of it. */
async function look(batchId: string, [name, size]: [string, Look]) {
  const opened = await openPage(browser, `${api.url}/v1/batches/${batchId}/report.html`, 'viewer', size);
  const { page } = opened;
  await page.screenshot({ path: path.join(pictures, `${batchId}-${name.replace(', ', '-')}.png`), fullPage: true });
  expect({
    overflow: await overflowOf(page),
    problems: await accessProblems(page),
    complaints: opened.complaints,
    requests: opened.requests,
  }).toEqual({ overflow: 0, problems: [], complaints: [], requests: [] });
  return opened;
}

/** Stores a page as the verifier would, for cases that take too long to bring about. */
async function storePage(report: Report, samples: ShownSamples): Promise<void> {
  const { store, config } = pipeline.runtime;
  const put = (name: string, text: string) =>
    store.put(
      config.storage.archiveBucket,
      archiveLayout.report(report.batch_id, name),
      Buffer.from(text),
      'text/html',
    );
  await put('report.html', renderReport(report, samples));
  await put('report.json', JSON.stringify({ ...report, samples: null }));
}

describe.each(LOOKS)('on a %s screen', (...size) => {
  it('a batch that waits for its signatures says so first, and shows its samples', async () => {
    const { page, close } = await look('ready', size);
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('ready');
    expect(await page.getByRole('heading', { level: 2 }).first().textContent()).toMatch(
      /All \d+ gates passed: 420 events can be signed and published\./,
    );
    expect(await page.getByText('./backfill publish ready --watch').isVisible()).toBe(true);
    const isWide = size[1].width > 700;
    for (const kind of ['flow', 'days']) {
      expect(await page.locator(`figure.${kind} .wide svg`).isVisible()).toBe(isWide);
      expect(await page.locator(`figure.${kind} .narrow svg`).isVisible()).toBe(!isWide);
    }
    const row = page.getByRole('row', { name: /^quarantined/ });
    expect(await row.getByRole('cell').nth(1).textContent()).toBe('1');
    expect(await page.locator('.gate.good').count()).toBeGreaterThan(5);
    expect(await page.getByRole('listitem').filter({ hasText: 'Sample' }).getByText('none').isVisible()).toBe(true);
    expect(await page.locator('.sample').count()).toBe(20);
    const sample = page.locator('.sample').first();
    expect(await sample.getByText('"method": "GET"').first().isVisible()).toBe(true);
    expect(await sample.getByRole('img', { name: 'masked' }).first().isVisible()).toBe(true);
    expect(await page.content()).not.toContain('192.0.2.');
    await close();
  });

  it('a batch with a failed gate says which', async () => {
    const { page, close } = await look('red', size);
    expect(await page.locator('#verdict').textContent()).toMatch(/gates failed \(duplicates\): nothing is published\./);
    expect(await page.locator('.gate').first().getByRole('heading').textContent()).toContain('Duplicates');
    expect(await page.getByText(/post-mortem is due by/).isVisible()).toBe(true);
    await close();
  });

  it.each([
    ['live', 'Published: 200 events of this batch are live.'],
    ['back', 'Rolled back: no event of this batch is live; 0 rows taken back.'],
  ])('a batch that is %s says so', async (batchId, sentence) => {
    const { page, close } = await look(batchId, size);
    expect(await page.locator('#verdict').textContent()).toContain(sentence);
    await close();
  });

  it.each<[string, Report, ShownSamples]>([
    ['disputed', disputedReport(), testSamples()],
    ['replacing', replacingReport({ batch_id: 'replacing' }), testSamples()],
    ['large', testReport({ batch_id: 'large', days: testDays(400, 60), files: testFiles(300) }), testSamples()],
    [
      'named',
      testReport({
        batch_id: 'named',
        gates: [testGate('<b>x</b>'.repeat(20), 0, 1, { passed: false, detail: { why: 'w'.repeat(500) } })],
        files: testFiles(3).map((file) => ({ ...file, source_file: `${'long'.repeat(60)}<script>alert(1)</script>` })),
        days: testDays(2, 2).map((day) => ({ ...day, event_name: `${day.event_name}<img src=x onerror=alert(1)>` })),
      }),
      testSamples(),
    ],
    [
      'nothing',
      testReport({
        ...{ batch_id: 'nothing', status: 'rolled_back', gates: [], kpis: [], days: [], files: [], approvals: [] },
        ...{ balance: EMPTY_BALANCE, rows: null, samples: null, missing_approvals: null, audit_head: null },
      }),
      'gone',
    ],
  ])('a report about %s things fits', async (batchId, report, samples) => {
    await storePage(report, samples);
    await (await look(batchId, size)).close();
  });
});

describe('the page', () => {
  it('opens what is folded without a script, and on paper shows all of it in dark ink', async () => {
    const { page, close } = await look('ready', ['unfolded', { ...DESKTOP, colorScheme: 'dark' }]);
    const folded = page.getByRole('table', { name: 'Events by day' });
    expect(await folded.isVisible()).toBe(false);
    await page.getByText('Each day', { exact: true }).click();
    expect(await folded.isVisible()).toBe(true);
    await page.emulateMedia({ media: 'print' });
    expect(await page.locator('.gate pre').first().isVisible()).toBe(true);
    expect(await page.evaluate('getComputedStyle(document.body).color')).toBe('rgb(28, 33, 37)');
    await page.pdf({ path: path.join(pictures, 'ready.pdf'), format: 'A4', printBackground: true });
    await close();
  });

  it('says that its samples are gone when they are', async () => {
    const { json } = await api.call('GET', '/v1/batches/live/report.json', 'viewer');
    const { key } = json.samples as { key: string };
    await deleteObject(pipeline.env, pipeline.runtime.config.storage.archiveBucket, key);
    const { page, close } = await look('live', ['erased', PHONE]);
    expect(await page.getByText('The samples are expired or erased.').isVisible()).toBe(true);
    expect(await page.locator('.sample').count()).toBe(0);
    await close();
  });
});
