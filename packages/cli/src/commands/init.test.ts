import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { readDefaultKpis } from '@backfill/core/config/kpi-files';
import { loadConfigDir } from '@backfill/core/config/load-config';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCli } from '../run-cli.ts';

const RAW = path.join(import.meta.dirname, '../../../../examples/raw');

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'backfill-init-'));
});

afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

async function init(...args: string[]) {
  const printed = { out: '', err: '' };
  const code = await runCli(['init', ...args], {
    env: {},
    stdout: { write: (text) => (printed.out += text) },
    stderr: { write: (text) => (printed.err += text) },
    signal: new AbortController().signal,
  });
  return { code, ...printed };
}

describe('init', () => {
  it.each(['app', 'web-access', 'cdn', 'product-archive', 'billing'])('drafts what loads, from %s', async (source) => {
    const config = path.join(dir, 'config');
    const { code, out, err } = await init('--from', path.join(RAW, source), '--config', config);
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain('Left to do:');
    const loaded = await loadConfigDir(config);
    expect([...loaded.sources.keys()]).toEqual([source]);
    expect(loaded.sources.get(source)?.mapping.time.path).toMatch(/^(?:ts|time|timestamp|booked_at)$/);
  });

  it.each([
    ['app', {}],
    ['web-access', { daily_active_sessions: expect.stringContaining('no id of a session') }],
  ])('declares the KPIs that %s cannot have, and says what is left to name', async (source, declared) => {
    const config = path.join(dir, 'config');
    const { out } = await init('--from', path.join(RAW, source), '--config', config);
    const { policy, kpis } = await loadConfigDir(config);
    expect(policy.kpi.funnel).toBeUndefined();
    expect(policy.kpi.not_applicable.sources).toEqual(Object.keys(declared).length === 0 ? {} : { [source]: declared });
    expect(out).toContain('policy.yaml must name the steps of an activation (kpi.funnel)');
    expect(out).toContain('kpi/daily_active_sessions.sql');
    expect(kpis).toEqual(await readDefaultKpis());
  });

  it('adds a second source, and never overwrites', async () => {
    const config = path.join(dir, 'config');
    const args = ['--from', path.join(RAW, 'cdn'), '--config', config];
    expect((await init(...args)).code).toBe(0);
    const source = path.join(config, 'sources/cdn.yaml');
    await writeFile(source, `# mine\n${await readFile(source, 'utf8')}`);
    const again = await init(...args);
    expect([again.code, again.err]).toEqual([1, expect.stringContaining('nothing was written')]);
    expect(await readFile(source, 'utf8')).toMatch(/^# mine/);
    expect((await init(...args, '--source', 'edge')).code).toBe(0);
    expect([...(await loadConfigDir(config)).sources.keys()]).toEqual(['cdn', 'edge']);
  });

  it('drafts a source from outside the EU where it is told so', async () => {
    const regionOf = async (name: string, ...args: string[]) => {
      const config = path.join(dir, name);
      const { out } = await init('--from', path.join(RAW, 'cdn'), '--config', config, ...args);
      return [(await loadConfigDir(config)).sources.get('cdn')?.region, out.includes('region: eu was assumed')];
    };
    expect(await regionOf('default')).toEqual(['eu', true]);
    expect(await regionOf('abroad', '--region', 'non-eu')).toEqual(['non-eu', false]);
    expect(await regionOf('near', '--region', 'eu')).toEqual(['eu', false]);
    expect((await init('--from', dir, '--config', dir, '--region', 'us')).code).toBe(2);
  });

  it('looks into compressed files, and leaves out what is of another kind', async () => {
    const from = path.join(dir, 'My Logs');
    await mkdir(from);
    const line = '{"ts":"2026-11-01T08:00:00Z","event":"Opened"}\n';
    await writeFile(path.join(from, 'a.gz'), gzipSync(line.repeat(50_000)));
    await writeFile(path.join(from, 'b.gz'), gzipSync(line).subarray(0, 30));
    await writeFile(path.join(from, 'c.txt'), 'Dear Sir or Madam,\n');
    const { code, out } = await init('--from', from, '--config', path.join(dir, 'config'), '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      source: 'my-logs',
      format: 'ndjson',
      records: 500,
      skipped_files: ['b.gz', 'c.txt'],
      files: [
        ...['sources/my-logs.yaml', 'taxonomy/events/opened/1-0-0.schema.json', 'policy.yaml'],
        ...['kpi/daily_active_sessions.sql', 'kpi/activation_funnel.sql'],
      ],
    });
  });

  it('refuses a folder that it can learn nothing from', async () => {
    const from = path.join(dir, 'logs');
    const args = ['--from', from, '--config', path.join(dir, 'config')];
    expect((await init(...args)).code).toBe(1);
    await mkdir(from);
    await writeFile(path.join(from, 'letter.txt'), 'Dear Sir or Madam,\n');
    expect((await init(...args)).err).toContain('of a known format');
    expect((await init('--from', from)).code).toBe(2);
    expect((await init(...args, '--source', 'No Name')).code).toBe(2);
  });
});
