import { describe, expect, it } from 'vitest';
import type { BackfillConfig } from '../config/load-config.ts';
import { policySchema } from '../config/policy.ts';
import { buildRecipe, recipeHash } from './recipe.ts';
import { testRecipe } from './recipe-fixture.ts';

const base = testRecipe();
const schema = base.taxonomy.purchased?.schema ?? {};
const config: BackfillConfig = {
  policy: policySchema.parse({
    version: 1,
    gates: { default: { duplicate_ratio: 0.001, max_overlap: 0.001, schema: 1 }, sources: {} },
    approvals: { run: [], publish: [], rehearsal: { default: false, sources: {} }, escalation: ['product_owner'] },
    retention: { raw_days: 90, event_months: 13, staging_hours: 24 },
    limits: { max_batch_rows: 1_000, max_line_bytes: 10_000 },
    privacy: { future_skew_minutes: 60, key_periods: [{ version: 1 }] },
    kpi: { time_zone: 'Europe/Berlin' },
    residency: { regions: ['eu-central-1'], hosts: [], loopback: false, vouched_buckets: [] },
  }),
  sources: new Map([['shop', base.source]]),
  taxonomy: new Map([['purchased', new Map([['1-0-0', schema]])]]),
  upcasts: new Map(),
  kpis: { daily_active_sessions: '', activation_funnel: '' },
};
const options = {
  windowStartMs: base.window.startMs,
  windowEndMs: base.window.endMs,
  retentionCutoffMs: null,
  keys: { periods: base.keyPeriods, checks: base.keyChecks, latestEventMs: null },
};

describe('buildRecipe', () => {
  it('pins the source, its schemas and the batch', () => {
    expect(buildRecipe(config, 'shop', options)).toEqual(base);
  });

  it('pins the upcasts that lead to its versions, each with the schema it begins with', () => {
    const upcast = (from: string, to: string) => ({ from, to, sha256: '', text: `${from} ${to}` });
    const steps = [upcast('0-1-0', '0-2-0'), upcast('0-2-0', '1-0-0'), upcast('1-0-0', '2-0-0')];
    const versions = new Map(['0-1-0', '0-2-0', '1-0-0', '2-0-0'].map((version) => [version, { ...schema, version }]));
    const source = { ...base.source, mapping: { ...base.source.mapping, schema_version: { path: 'v' } } };
    const lifted: BackfillConfig = {
      ...config,
      sources: new Map([['shop', source]]),
      taxonomy: new Map([['purchased', versions]]),
      upcasts: new Map([['purchased', new Map(steps.map((step) => [step.from, step]))]]),
    };
    const { upcasts } = buildRecipe(lifted, 'shop', options);
    expect(upcasts.purchased?.map(({ text, schema: from }) => [text, from.version])).toEqual([
      ['0-1-0 0-2-0', '0-1-0'],
      ['0-2-0 1-0-0', '0-2-0'],
    ]);
    // A source whose records are all of the pinned version has no use for them.
    const plain = { ...lifted, sources: new Map([['shop', base.source]]) };
    expect(buildRecipe(plain, 'shop', options).upcasts).toEqual({});
  });

  it('refuses a source or a schema that is not there', () => {
    expect(() => buildRecipe(config, 'other', options)).toThrow(RangeError);
    const empty = { ...config, taxonomy: new Map() };
    expect(() => buildRecipe(empty, 'shop', options)).toThrow(RangeError);
  });
});

describe('recipeHash', () => {
  it('does not depend on the order of fields or on a way through a database', () => {
    const reversed = Object.fromEntries(Object.entries(base).reverse()) as typeof base;
    expect(recipeHash(reversed)).toBe(recipeHash(base));
    expect(recipeHash(JSON.parse(JSON.stringify(base)))).toBe(recipeHash(base));
  });

  it('covers everything that can change an event', () => {
    const changed = [
      base,
      testRecipe({ piiRulesVersion: 0 }),
      testRecipe({ retentionCutoffMs: 0 }),
      testRecipe({ keyChecks: { '1': 'another' } }),
      testRecipe({ keyPeriods: [{ version: 2, fromMs: null }] }),
      testRecipe({ latestEventMs: 0 }),
      testRecipe({ window: { ...base.window, endMs: base.window.endMs + 1 } }),
      testRecipe({ limits: { maxLineBytes: 10_001 } }),
      testRecipe({ taxonomy: { purchased: { version: '1-0-1', schema } } }),
      testRecipe({ upcasts: { purchased: [{ from: '0-1-0', to: '1-0-0', sha256: '', text: '', schema: {} }] } }),
      testRecipe({}, { identity: 'payload' }),
    ];
    expect(new Set(changed.map(recipeHash)).size).toBe(changed.length);
  });
});
