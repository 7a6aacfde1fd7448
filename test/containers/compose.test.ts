import { afterAll, beforeAll, expect, it } from 'vitest';
import { waitFor } from '../support/wait-for.ts';
import { type ComposeProject, createComposeProject } from './compose-project.ts';

// infra/compose.yaml as docs/containers.md says it is used, from building the image to taking it all away.
const BUILD_TIMEOUT_MS = 900_000;
const BATCH_TIMEOUT_MS = 480_000;
const DAY_MS = 86_400_000;
const DAY = new Date(Date.now() - 5 * DAY_MS).toISOString().slice(0, 10);
const NEXT_DAY = new Date(Date.parse(DAY) + DAY_MS).toISOString().slice(0, 10);
const WINDOW = ['--start', `${DAY}T00:00:00Z`, '--end', `${NEXT_DAY}T00:00:00Z`];
const BATCH = 'shipped';
const IMPORTERS = 4;
/** Everything that works on a batch, and who watches it; what only draws pictures is left out. */
const SERVICES = ['api', 'transformer', 'importer', 'verifier', 'rollback', 'prometheus'];
const LIVE = `select count(*) from analytics.events where batch_id = '${BATCH}'`;

interface Target {
  health: string;
  labels: Record<string, string>;
}

let project: ComposeProject;

beforeAll(async () => {
  project = await createComposeProject();
  await project.compose('build', 'prepare');
  await project.compose('up', '--detach', '--wait', '--scale', `importer=${IMPORTERS}`, ...SERVICES);
}, BUILD_TIMEOUT_MS);

afterAll(() => project.remove(), 120_000);

it('runs four importers, as nobody in particular and with nothing to write on', async () => {
  const importers = (await project.compose('ps', '--format', '{{.Health}}', 'importer')).trim().split('\n');
  expect(importers).toEqual(Array.from({ length: IMPORTERS }, () => 'healthy'));
  const probe = 'id -u; touch /app/new 2>&1 || touch /tmp/new && echo only in /tmp';
  const seen = await project.compose('exec', '-T', 'importer', 'sh', '-c', probe);
  expect(seen).toMatch(/^1000\n.*Read-only file system\nonly in \/tmp\n$/);
});

it(
  'takes a batch from its raw logs to what readers see, and back',
  async () => {
    const books = ['--references', '/logs/books.json'];
    const generated = await project.backfill(
      'generate',
      '/logs/raw',
      '--day',
      DAY,
      '--sessions',
      '2000',
      ...books,
      '--json',
    );
    const planted = JSON.parse(generated) as { lines: number; events: number; duplicates: number };

    await project.backfill('run', '/logs/raw', '--source', 'app', '--batch-id', BATCH, ...WINDOW, ...books);
    for (const role of ['data_privacy_officer', 'legal_counsel_privacy', 'product_owner']) {
      await project.backfill('approve', BATCH, '--role', role);
    }
    await project.backfill('status', BATCH, '--watch');
    for (const role of ['data_engineering_lead', 'product_analytics_manager']) {
      await project.backfill('approve', BATCH, '--role', role);
    }
    expect(await project.value(LIVE)).toBe('0');
    await project.backfill('publish', BATCH, '--watch');

    const { lines: read, events: inserted, duplicates: duplicate } = planted;
    const view = JSON.parse(await project.backfill('status', BATCH, '--json'));
    expect(view).toMatchObject({ status: 'published', balance: { read, inserted, duplicate } });
    expect(await project.value(LIVE)).toBe(String(inserted));

    await project.backfill('rollback', BATCH, '--watch');
    expect(await project.value(LIVE)).toBe('0');
    const keys = `select count(*) from analytics.backfill_event_checkpoint where batch_id = '${BATCH}'`;
    expect(await project.value(keys)).toBe('0');
  },
  BATCH_TIMEOUT_MS,
);

it('answers on 127.0.0.1, to those who have a token', async () => {
  const url = await project.url('api', 8080);
  expect(new URL(url).hostname).toBe('127.0.0.1');
  const list = (token: string) => fetch(`${url}/v1/batches`, { headers: { authorization: `Bearer ${token}` } });
  expect((await list('nobody')).status).toBe(401);
  expect((await list(await project.secret('token-viewer'))).status).toBe(200);
});

it('is in order, as its doctor finds', async () => {
  const { checks } = JSON.parse(await project.backfill('doctor', '--json')) as { checks: { findings: unknown[] }[] };
  expect(checks.length).toBeGreaterThan(0);
  expect(checks.flatMap(({ findings }) => findings)).toEqual([]);
});

it('is scraped whole, each importer by itself', async () => {
  const prometheus = await project.url('prometheus', 9090);
  // All services but the one-shot; the importers count one by one.
  const wanted = SERVICES.length - 1 + IMPORTERS - 1;
  await waitFor('Prometheus to have scraped everything', async () => {
    const answer = await fetch(`${prometheus}/api/v1/targets?state=active`);
    const { data } = (await answer.json()) as { data: { activeTargets: Target[] } };
    const up = data.activeTargets.filter(({ health, labels }) => health === 'up' && labels.job === 'backfill');
    return up.length === wanted ? true : undefined;
  });
});
