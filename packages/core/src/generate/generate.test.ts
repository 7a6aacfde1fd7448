import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type BackfillConfig, loadConfigDir } from '../config/load-config.ts';
import { decompress, detectCompression } from '../formats/compression.ts';
import { splitLines } from '../formats/split-lines.ts';
import { compileRecipe } from '../recipe/compile-recipe.ts';
import type { LineOutcome, TransformedEvent } from '../recipe/line-outcome.ts';
import { pseudonym } from '../recipe/pseudonym.ts';
import { buildRecipe, type Recipe } from '../recipe/recipe.ts';
import { TEST_KEYS, TEST_SALT } from '../recipe/recipe-fixture.ts';
import { generateAccessLog } from './access-log.ts';
import { generateAppLog } from './app-log.ts';
import { DAY_MS, lostWindow } from './app-world.ts';
import { generateLiveEvents } from './live-events.ts';
import { OBJECTOR_ID } from './people.ts';
import { type GeneratedFile, sumPlanted } from './planted.ts';

const EXAMPLE = fileURLToPath(new URL('../../../../examples/config', import.meta.url));
const WORLD = { seed: 'test', day: '2026-10-05', windowHours: 24, sessionsPerDay: 1_200 };

const config: BackfillConfig = await loadConfigDir(EXAMPLE);
const files = [...generateAppLog(WORLD)];
const planted = sumPlanted(files.map((file) => file.planted));
const outcomes = await outcomesOf(recipeFor('app', lostWindow(WORLD)), files);
const events = acceptedOf(outcomes);

function recipeFor(source: string, window: { startMs: number; endMs: number }): Recipe {
  return buildRecipe(config, source, {
    windowStartMs: window.startMs,
    windowEndMs: window.endMs,
    retentionCutoffMs: null,
    keys: { periods: [{ version: 1, fromMs: null }], checks: {}, latestEventMs: null },
  });
}

async function outcomesOf(recipe: Recipe, inputs: GeneratedFile[]): Promise<LineOutcome[]> {
  const transform = compileRecipe(recipe, { keys: TEST_KEYS, isSuppressed: () => false });
  const results: LineOutcome[] = [];
  const options = { firstLine: 1, maxLineBytes: 10_000 };
  for (const { bytes } of inputs) {
    const plain = decompress(Readable.from([bytes]), detectCompression(bytes));
    for await (const lines of splitLines(plain, options)) results.push(...lines.map(transform));
  }
  return results;
}

function acceptedOf(results: LineOutcome[]): TransformedEvent[] {
  return results.flatMap((result) => (result.outcome === 'accepted' ? [result.event] : []));
}

function quarantineReasons(results: LineOutcome[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const result of results) {
    if (result.outcome !== 'quarantined') continue;
    counts[result.reason] = (counts[result.reason] ?? 0) + 1;
  }
  return counts;
}

function filteredCount(results: LineOutcome[]): number {
  return results.filter(({ outcome }) => outcome === 'filtered').length;
}

describe('the app log', () => {
  it('is the same bytes for the same options, and others for another seed', () => {
    const bytes = (seed: string): Buffer =>
      Buffer.concat([...generateAppLog({ ...WORLD, seed })].map((file) => file.bytes));
    expect(bytes('test').equals(Buffer.concat(files.map((file) => file.bytes)))).toBe(true);
    expect(bytes('test').equals(bytes('other'))).toBe(false);
  });

  it('is gzip without time and system', () => {
    for (const { bytes } of files) expect(bytes.readUInt32LE(4)).toBe(0);
    for (const { bytes } of files) expect(bytes[9]).toBe(0xff);
  });

  it('holds exactly what it says it holds', () => {
    expect(outcomes).toHaveLength(planted.lines);
    expect(events).toHaveLength(planted.events + planted.duplicates);
    expect(new Set(events.map(({ eventId }) => eventId)).size).toBe(planted.events);
    const { blank, outsideWindow, unmapped } = planted.filtered;
    expect(filteredCount(outcomes)).toBe(blank + outsideWindow + unmapped);
    expect(quarantineReasons(outcomes)).toEqual(planted.quarantined);
    const objector = pseudonym(TEST_SALT, 1, 'user', OBJECTOR_ID);
    expect(events.filter(({ subjectId }) => subjectId === objector)).toHaveLength(planted.objector);
  });

  it('has a little of everything, within the gates', () => {
    expect(planted.events).toBeGreaterThan(5_000);
    expect(planted.duplicates).toBeGreaterThan(0);
    expect(planted.duplicates / planted.events).toBeLessThan(0.001);
    expect(planted.alsoLive).toBeGreaterThan(0);
    expect(planted.alsoLive / planted.events).toBeLessThan(0.001);
    expect(planted.objector).toBeGreaterThan(0);
    expect(Math.min(...Object.values(planted.filtered))).toBeGreaterThan(0);
    expect(Object.keys(planted.quarantined)).toHaveLength(10);
    expect(planted.personal.emails).toBeGreaterThan(1_000);
    expect(planted.personal.ips).toBeGreaterThan(1_000);
  });

  it('leaves no planted address in any event', () => {
    const stored = events.map((event) => JSON.stringify(event)).join('\n');
    for (const identifier of files.flatMap((file) => [...file.identifiers])) {
      expect(stored).not.toContain(identifier);
      expect(stored).not.toContain(identifier.replace('@', '%40'));
    }
  });
});

describe('live events', () => {
  it('lie around the lost window, but for those that the log counts', () => {
    const { startMs, endMs } = lostWindow(WORLD);
    const recipe = recipeFor('app', lostWindow(WORLD));
    const live = [...generateLiveEvents({ ...WORLD, daysAround: 1, recipe, keys: TEST_KEYS })];
    const inside = live.filter(({ eventTsMs }) => eventTsMs >= startMs && eventTsMs < endMs);
    expect(inside).toHaveLength(planted.alsoLive);
    const known = new Set(events.map(({ eventId }) => eventId));
    expect(inside.every(({ eventId }) => known.has(eventId))).toBe(true);
    expect(live.filter(({ eventTsMs }) => eventTsMs < startMs).length).toBeGreaterThan(1_000);
    expect(live.filter(({ eventTsMs }) => eventTsMs >= endMs).length).toBeGreaterThan(1_000);
    expect(new Set(live.map(({ eventId }) => eventId)).size).toBe(live.length);
  });
});

describe('the access log', () => {
  const options = { seed: 'test', day: '2026-10-05', requests: 3_000, repeats: 2, gzip: false };
  const startMs = Date.parse('2026-10-05T00:00:00Z');

  it('holds exactly what it says it holds', async () => {
    const file = generateAccessLog(options);
    expect(generateAccessLog(options).bytes.equals(file.bytes)).toBe(true);
    const recipe = recipeFor('web-access', { startMs, endMs: startMs + DAY_MS });
    const results = await outcomesOf(recipe, [file]);
    const requests = acceptedOf(results);
    expect(results).toHaveLength(file.planted.lines);
    expect(requests).toHaveLength(file.planted.events);
    // Nobody has numbered the repeats here.
    expect(new Set(requests.map(({ eventId }) => eventId)).size).toBe(options.requests);
    expect(file.planted.events).toBe(options.requests + options.repeats);
    expect(quarantineReasons(results)).toEqual(file.planted.quarantined);
    const stored = JSON.stringify(requests);
    for (const identifier of file.identifiers) expect(stored).not.toContain(identifier);
  });

  it('is the same text when it is compressed', async () => {
    const { bytes } = generateAccessLog({ ...options, gzip: true });
    const plain = await decompress(Readable.from([bytes]), 'gzip').toArray();
    expect(Buffer.concat(plain).equals(generateAccessLog(options).bytes)).toBe(true);
  });
});
