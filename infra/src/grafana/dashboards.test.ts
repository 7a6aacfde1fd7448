import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { createDashboards, DASHBOARDS_DIR, formatDashboard } from './dashboards.ts';

interface Target {
  refId?: string;
  expr?: string;
}

interface Panel {
  id: number;
  type: string;
  title: string;
  description?: string;
  datasource?: { type: string; uid: string };
  gridPos: { x: number; y: number; w: number; h: number };
  fieldConfig: { defaults: { unit?: string } };
  targets?: Target[];
}

interface File {
  id: null;
  uid: string;
  title: string;
  description: string;
  schemaVersion: number;
  panels: Panel[];
  templating: { list: { name: string }[] };
}

const names = Object.keys(createDashboards());
const readText = (name: string) => readFile(path.join(DASHBOARDS_DIR, name), 'utf8');
const read = async (name: string) => JSON.parse(await readText(name)) as File;
const PANELS = ['stat', 'timeseries', 'table', 'bargauge', 'state-timeline'];

it('are in their files as they are made (npm run dashboards)', async () => {
  expect((await readdir(DASHBOARDS_DIR)).sort()).toEqual([...names].sort());
  for (const [name, dashboard] of Object.entries(createDashboards())) {
    expect(await readText(name)).toBe(formatDashboard(dashboard));
  }
});

it('have uids of their own, and link only to each other', async () => {
  const files = await Promise.all(names.map(read));
  const uids = files.map(({ uid }) => uid);
  expect(new Set(uids).size).toBe(4);
  for (const name of names) {
    for (const [, uid = ''] of (await readText(name)).matchAll(/"\/d\/([^?"/]+)/g)) expect(uids).toContain(uid);
  }
  expect(await readText('overview.json')).toContain('/d/backfill-batch?var-batch_id=');
});

describe.each(names)('%s', (name) => {
  it('is of the current schema, described, and lets its viewer choose the Prometheus server', async () => {
    const file = await read(name);
    expect(file).toMatchObject({ id: null, schemaVersion: 42 });
    expect(file.description.length).toBeGreaterThan(20);
    expect(file.templating.list.map((variable) => variable.name)).toContain('datasource');
  });

  it('has panels that say what they show, in which unit, from where', async () => {
    const { panels } = await read(name);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const shown = panels.filter(({ type }) => type !== 'row');
    expect(new Set(shown.map(({ title }) => title)).size).toBe(shown.length);
    for (const { type, title, description = '', datasource, fieldConfig, targets = [] } of shown) {
      expect(PANELS).toContain(type);
      expect(description.length, title).toBeGreaterThan(20);
      expect(fieldConfig.defaults.unit, title).toMatch(/^[a-z]+$/);
      expect(datasource, title).toEqual({ type: 'prometheus', uid: `\${datasource}` });
      expect(targets.length, title).toBeGreaterThan(0);
      expect(targets.map(({ refId }) => refId)).toEqual(['A', 'B', 'C', 'D', 'E', 'F'].slice(0, targets.length));
      for (const { expr } of targets) expect(expr, title).toMatch(/\w/);
    }
  });

  it('fills its width line by line', async () => {
    const lines = new Map<number, { width: number; heights: Set<number> }>();
    for (const { gridPos } of (await read(name)).panels) {
      const line = lines.get(gridPos.y) ?? { width: 0, heights: new Set() };
      expect(gridPos.x).toBe(line.width);
      lines.set(gridPos.y, { width: line.width + gridPos.w, heights: line.heights.add(gridPos.h) });
    }
    for (const { width, heights } of lines.values()) expect([width, heights.size]).toEqual([24, 1]);
  });
});
