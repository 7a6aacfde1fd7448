import { hash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { KPI_NAMES } from '../domain/kpi.ts';
import { ConfigError, type ConfigMistake } from './config-error.ts';
import { readDefaultKpis } from './kpi-files.ts';
import { loadConfigDir } from './load-config.ts';
import { gateThresholds } from './policy.ts';

const EXAMPLE = fileURLToPath(new URL('../../../../examples/config', import.meta.url));

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'backfill-config-'));
  await cp(EXAMPLE, dir, { recursive: true });
});

afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

async function edit(file: string, from: string, to: string): Promise<void> {
  const text = await readFile(path.join(dir, file), 'utf8');
  expect(text).toContain(from);
  await writeFile(path.join(dir, file), text.replace(from, to));
}

async function mistakes(): Promise<readonly ConfigMistake[]> {
  try {
    await loadConfigDir(dir);
  } catch (error) {
    if (error instanceof ConfigError) return error.mistakes;
    throw error;
  }
  return [];
}

async function places(): Promise<string[]> {
  return (await mistakes()).map(({ file, path: place }) => `${file} ${place}`.trimEnd());
}

describe('the example configuration', () => {
  it('has no mistakes', async () => {
    const config = await loadConfigDir(EXAMPLE);
    expect([...config.sources.keys()]).toEqual(['app', 'billing', 'cdn', 'product-archive', 'web-access']);
    expect(config.taxonomy.get('page_viewed')?.has('1-0-0')).toBe(true);
    expect(config.policy.approvals.publish).toContain('data_engineering_lead');
  });

  it('shows the definitions of KPIs that count without a file', async () => {
    expect((await loadConfigDir(dir)).kpis).toEqual(await readDefaultKpis());
    const shown = await Promise.all(KPI_NAMES.map((name) => readFile(path.join(dir, `kpi/${name}.sql`), 'utf8')));
    expect(shown).toEqual(Object.values(await readDefaultKpis()));
  });

  it('takes thresholds of a source as its policy explains', async () => {
    await edit('policy.yaml', '  sources: {}', '  sources:\n    web-access: { duplicate_ratio: 0.01 }');
    const { policy } = await loadConfigDir(dir);
    expect(gateThresholds(policy, 'web-access')).toEqual({
      duplicate_ratio: 0.01,
      max_overlap: 0.001,
      max_sample_events: 60,
      schema: 1,
      max_newly_suppressed: 0.01,
      volume: 0.02,
      freshness_minutes: 30,
      visible_minutes: 30,
      daily_active_sessions: 0.015,
      activation_conversion: 0.005,
    });
    expect(gateThresholds(policy, 'app').duplicate_ratio).toBe(0.001);
  });
});

describe('a policy from before there were KPI gates', () => {
  it('has the runbook’s thresholds, for a source with some of its own too', async () => {
    const document = parse(await readFile(path.join(dir, 'policy.yaml'), 'utf8'));
    const { duplicate_ratio, max_overlap, schema } = document.gates.default;
    document.gates = { default: { duplicate_ratio, max_overlap, schema }, sources: { app: { max_overlap: 0.5 } } };
    document.kpi = { time_zone: document.kpi.time_zone };
    delete document.approvals.override;
    await writeFile(path.join(dir, 'policy.yaml'), stringify(document));
    const { policy } = await loadConfigDir(dir);
    expect(gateThresholds(policy, 'app')).toEqual({
      ...{
        duplicate_ratio: 0.001,
        max_overlap: 0.5,
        schema: 1,
        visible_minutes: 30,
        volume: 0.02,
        freshness_minutes: 30,
      },
      ...{ daily_active_sessions: 0.015, activation_conversion: 0.005 },
    });
    expect(policy.kpi).toEqual({
      ...{ time_zone: 'Europe/Berlin', baseline_weeks: 4, neighbour_days: 2, timeout_seconds: 120 },
      not_applicable: { default: {}, sources: {} },
    });
    expect(policy.approvals.override).toEqual(['product_analytics_manager']);
  });

  it('takes a default for one gate and overrides it for a source', async () => {
    await edit('policy.yaml', '    volume: 0.02', '    volume: 0.5');
    await edit('policy.yaml', '  sources: {}', '  sources: { app: { schema: 0.9 }, cdn: { volume: 0.1 } }');
    const { policy } = await loadConfigDir(dir);
    expect(['app', 'cdn'].map((source) => gateThresholds(policy, source).volume)).toEqual([0.5, 0.1]);
  });
});

describe('definitions of KPIs', () => {
  it('in the examples are those that ship with the software', async () => {
    expect((await loadConfigDir(EXAMPLE)).kpis).toEqual(await readDefaultKpis());
    await rm(path.join(dir, 'kpi'), { recursive: true });
    expect((await loadConfigDir(dir)).kpis).toEqual(await readDefaultKpis());
  });

  it('are taken from the directory, one by one', async () => {
    await rm(path.join(dir, 'kpi/activation_funnel.sql'));
    await writeFile(path.join(dir, 'kpi/daily_active_sessions.sql'), 'select day, 1 as value from kpi_events');
    const { kpis } = await loadConfigDir(dir);
    expect(kpis.daily_active_sessions).toBe('select day, 1 as value from kpi_events');
    expect(kpis.activation_funnel).toBe((await readDefaultKpis()).activation_funnel);
  });

  it('are mistakes when they are no SELECT, or define no KPI', async () => {
    await writeFile(path.join(dir, 'kpi/daily_active_sessions.sql'), 'delete from analytics.events_log');
    await writeFile(path.join(dir, 'kpi/revenue.sql'), 'select 1 from kpi_events');
    await writeFile(path.join(dir, 'kpi/README.md'), '');
    expect(await places()).toEqual(['kpi/README.md', 'kpi/daily_active_sessions.sql', 'kpi/revenue.sql']);
  });
});

describe('mistakes', () => {
  it('are listed all at once, with file and place', async () => {
    await edit('policy.yaml', 'raw_days: 90', 'raw_days: -1');
    await edit('policy.yaml', 'product_owner]', 'the_boss]');
    await edit('policy.yaml', 'Europe/Berlin', 'Europe/Atlantis');
    await edit('sources/app.yaml', 'format: ndjson', 'format: xml\ncolour: red');
    await edit('sources/web-access.yaml', 'format: clf }', 'format: clf, zone: CET }');
    await edit('taxonomy/events/feedback_sent/1-0-0.schema.json', '"x-pii": "scan"', '"x-pii": "secret"');
    await writeFile(path.join(dir, 'taxonomy/events/feedback_sent/v2.json'), '{}');
    expect((await places()).sort()).toEqual(
      [
        'policy.yaml /approvals/run/2',
        'policy.yaml /kpi/time_zone',
        'policy.yaml /retention/raw_days',
        'sources/app.yaml /colour',
        'sources/app.yaml /format',
        'sources/web-access.yaml /mapping/time/zone',
        'taxonomy/events/feedback_sent/1-0-0.schema.json /properties/comment/x-pii',
        'taxonomy/events/feedback_sent/v2.json',
      ].sort(),
    );
  });

  it('name every file in the message', async () => {
    await edit('policy.yaml', 'version: 1', 'version: 2');
    await expect(loadConfigDir(dir)).rejects.toThrow(/policy\.yaml \/version/);
  });

  it('are missing files and folders', async () => {
    await rm(path.join(dir, 'policy.yaml'));
    await rm(path.join(dir, 'taxonomy'), { recursive: true });
    expect(await places()).toEqual(
      expect.arrayContaining(['policy.yaml', 'taxonomy/events', 'sources/app.yaml /events/page_viewed']),
    );
  });

  it('are a name that is not the file name, and files of other kinds', async () => {
    await edit('sources/app.yaml', 'source: app', 'source: other');
    await writeFile(path.join(dir, 'sources/new.yml'), '');
    await mkdir(path.join(dir, 'taxonomy/events/Bad Name'));
    expect(await places()).toEqual(['taxonomy/events/Bad Name', 'sources/app.yaml /source', 'sources/new.yml']);
  });

  it('are YAML and JSON that cannot be read', async () => {
    await writeFile(path.join(dir, 'policy.yaml'), 'version: 1\nversion: 1\n');
    await writeFile(path.join(dir, 'taxonomy/events/page_viewed/1-0-0.schema.json'), '{');
    const found = await places();
    expect(found).toContain('policy.yaml');
    expect(found).toContain('taxonomy/events/page_viewed/1-0-0.schema.json');
  });

  it('are an unknown region, and identifiers of a source from outside the EU that pass through', async () => {
    await edit('sources/app.yaml', 'region: eu', 'region: us');
    expect(await places()).toEqual(['sources/app.yaml /region']);
    await edit('sources/app.yaml', 'region: us', 'region: non-eu');
    expect(await places()).toEqual([]);
    await edit('sources/app.yaml', 'pseudonym: hmac', 'pseudonym: passthrough');
    expect(await places()).toEqual(['sources/app.yaml /pseudonym']);
  });

  it('are references that lead nowhere', async () => {
    await edit('policy.yaml', '  sources: {}', '  sources: { apq: { schema: 0.9 } }');
    await edit('policy.yaml', '      cdn:', '      cdm:');
    await edit('policy.yaml', '[signup_completed, feature_used]', '[signup_completed, feature_uzed]');
    await edit('sources/app.yaml', 'Page Viewed: page_viewed', 'Page Viewed: page_seen');
    await edit('sources/app.yaml', 'signup_started: 1-0-0', 'signup_started: 1-0-1');
    await edit('sources/app.yaml', '    browser: client.user_agent', '    browzer: client.constructor');
    await edit('sources/app.yaml', '"*": data.*', 'feature: data.*');
    expect((await places()).sort()).toEqual(
      [
        'policy.yaml /gates/sources/apq',
        'policy.yaml /kpi/funnel/steps/1',
        'policy.yaml /kpi/not_applicable/sources/cdm',
        'sources/app.yaml /events/page_viewed',
        'sources/app.yaml /events/signup_started',
        'sources/app.yaml /mapping/event_name/values/Page Viewed',
        'sources/app.yaml /mapping/properties',
        'sources/app.yaml /mapping/properties',
        'sources/app.yaml /mapping/properties',
        'sources/app.yaml /mapping/properties',
        'sources/app.yaml /mapping/properties',
        'sources/app.yaml /mapping/properties/browzer',
        'sources/app.yaml /mapping/properties/browzer',
        'sources/app.yaml /mapping/properties/feature',
      ].sort(),
    );
  });

  it('are property mappings that mean nothing', async () => {
    const rest = '    "*": data.*';
    const one =
      '    path: { path: data.path, values: { home: / } }\n    referrer: { constant: 5 }\n    query: { pth: x }\n';
    await edit('sources/app.yaml', rest, `${one}${rest}`);
    expect(await places()).toEqual(['sources/app.yaml /mapping/properties/query']);
    await edit('sources/app.yaml', '    query: { pth: x }\n', '    query: { path: data..q, values: {} }\n');
    await edit('sources/app.yaml', rest, '    "*": { constant: 1 }');
    expect((await places()).sort()).toEqual([
      ...Array.from({ length: 5 }, () => 'sources/app.yaml /mapping/properties'),
      'sources/app.yaml /mapping/properties/*',
      'sources/app.yaml /mapping/properties/query/path',
    ]);
  });

  it('are an identity without its record id, and a record id without use', async () => {
    await edit('sources/app.yaml', 'identity: record-id', 'identity: payload');
    await edit('sources/web-access.yaml', 'identity: payload+occurrence', 'identity: record-id');
    expect(await places()).toEqual([
      'sources/app.yaml /mapping/record_id',
      'sources/web-access.yaml /mapping/record_id',
    ]);
  });
});

describe('upcasts', () => {
  const GOOD = 'export function upcast(properties) { return properties; }\n';
  const FOLDER = 'taxonomy/upcasts/page_viewed';

  beforeEach(async () => {
    const schema = path.join(dir, 'taxonomy/events/page_viewed');
    for (const version of ['0-9-0', '0-9-1']) {
      await cp(path.join(schema, '1-0-0.schema.json'), path.join(schema, `${version}.schema.json`));
    }
    await mkdir(path.join(dir, FOLDER), { recursive: true });
  });

  it('are read with their text and its hash', async () => {
    await writeFile(path.join(dir, FOLDER, '0-9-0_1-0-0.mjs'), GOOD);
    const { upcasts } = await loadConfigDir(dir);
    expect(upcasts.get('page_viewed')?.get('0-9-0')).toEqual({
      from: '0-9-0',
      to: '1-0-0',
      sha256: hash('sha256', GOOD, 'hex'),
      text: GOOD,
    });
  });

  it('are mistakes where they cannot be used', async () => {
    await mkdir(path.join(dir, 'taxonomy/upcasts/page_seen'));
    for (const name of ['notes.txt', '1-0-0.mjs', '1-0-0_0-9-0.mjs', '0-8-0_1-0-0.mjs', '0-9-0_0-9-1.mjs']) {
      await writeFile(path.join(dir, FOLDER, name), GOOD);
    }
    await writeFile(path.join(dir, FOLDER, '0-9-0_1-0-0.mjs'), GOOD);
    await writeFile(path.join(dir, FOLDER, '0-9-1_1-0-0.mjs'), 'export const upcast = 1;');
    expect((await places()).sort()).toEqual([
      'taxonomy/upcasts/page_seen',
      `${FOLDER}/0-8-0_1-0-0.mjs`,
      `${FOLDER}/0-9-0_1-0-0.mjs`,
      `${FOLDER}/0-9-1_1-0-0.mjs`,
      `${FOLDER}/1-0-0.mjs`,
      `${FOLDER}/1-0-0_0-9-0.mjs`,
      `${FOLDER}/notes.txt`,
    ]);
  });

  it('may need properties that only an older version has', async () => {
    const old = path.join(dir, 'taxonomy/events/page_viewed/0-9-0.schema.json');
    await writeFile(old, (await readFile(old, 'utf8')).replace('"referrer"', '"came_from"'));
    const rest = '    "*": data.*';
    await edit('sources/app.yaml', rest, `    came_from: data.ref\n${rest}`);
    expect(await places()).toEqual(['sources/app.yaml /mapping/properties/came_from']);
    const time = '  time: { path: ts, format: iso }\n';
    await edit('sources/app.yaml', time, `${time}  schema_version: { path: v }\n`);
    expect(await places()).toEqual([]);
  });

  it('must lead up from the version that a source gives', async () => {
    await writeFile(path.join(dir, FOLDER, '0-9-0_1-0-0.mjs'), GOOD);
    const time = '  time: { path: ts, format: iso }\n';
    await edit('sources/app.yaml', time, `${time}  schema_version: { path: v, default: 0-9-0 }\n`);
    const found = await mistakes();
    expect(new Set(found.map(({ path: place }) => place))).toEqual(new Set(['/mapping/schema_version/default']));
    expect(found.map(({ message }) => message)).not.toContainEqual(expect.stringContaining('page_viewed'));
    expect(found).toHaveLength(5);
  });
});
