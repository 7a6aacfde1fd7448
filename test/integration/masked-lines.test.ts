import { COPY_FORMAT } from '@backfill/core/domain/format-name';
import type { JsonValue } from '@backfill/core/domain/json';
import { createRecordScanner } from '@backfill/core/formats/formats';
import type { RawLine } from '@backfill/core/formats/raw-line';
import { readRecords } from '@backfill/core/formats/read-records';
import { compileCleaner } from '@backfill/core/recipe/compile-cleaner';
import { compileRecipe } from '@backfill/core/recipe/compile-recipe';
import { writeCopyLine } from '@backfill/core/recipe/copy-line';
import type { TransformedEvent } from '@backfill/core/recipe/line-outcome';
import { compileLineMask } from '@backfill/core/recipe/mask-line';
import type { Recipe } from '@backfill/core/recipe/recipe';
import { TEST_KEYS, testLine, testRecipe } from '@backfill/core/recipe/recipe-fixture';
import { timeForms } from '@backfill/core/recipe/time-forms';
import { MASK } from '@backfill/core/report/samples';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { damage } from '../support/bad-input/damage.ts';
import { MAX_LINE_BYTES } from '../support/bad-input/hostile-values.ts';
import { BAD_INPUT_SOURCES } from '../support/bad-input/sources.ts';
import { createFileTransform } from '../support/bad-input/transform-file.ts';
import { DETECTABLE, Planter, UNDETECTABLE } from '../support/leak/identifiers.ts';

const RUNS = { seed: Number(process.env.FUZZ_SEED ?? 42), numRuns: Number(process.env.FUZZ_RUNS ?? 60) };
const WHOLE = { blockBytes: 1 << 20, chunkBytes: 1 << 30, partLines: 1_000 };
const foreign = fc.oneof(...Object.values(BAD_INPUT_SOURCES).map(({ file }) => file));
const runtime = { keys: TEST_KEYS, isSuppressed: () => false };

/** Every text of a value: its scalars, and apart from them the names in it. */
function textsOf(value: JsonValue): { scalars: string[]; names: string[] } {
  if (typeof value !== 'object' || value === null) return { scalars: [String(value)], names: [] };
  const members = Object.values(value).map(textsOf);
  return {
    scalars: members.flatMap(({ scalars }) => scalars),
    names: [...(Array.isArray(value) ? [] : Object.keys(value)), ...members.flatMap(({ names }) => names)],
  };
}

const COPY_NAMES = ['event_name', 'schema_version', 'event_ts', 'record_id', 'session_id', 'subject_id', 'properties'];

/** All that a masked line may say: nothing of it is from the line alone. */
function allowList(recipe: Recipe, event: TransformedEvent | undefined) {
  const payload = textsOf(event === undefined ? {} : (JSON.parse(event.payload) as JsonValue));
  const configured = JSON.stringify([recipe.source, recipe.taxonomy, COPY_NAMES]);
  const names = new Set([...configured.matchAll(/"([^"]*)"/g)].flatMap(([, text = '']) => [text, ...text.split('.')]));
  const shown = new Set(payload.scalars);
  if (event !== undefined) for (const form of [...timeForms(event.eventTsMs), event.schemaVersion]) shown.add(form);
  return {
    isName: (name: string) => name === MASK || names.has(name),
    isValue: (text: string) => {
      if (text === MASK || shown.has(text)) return true;
      if (text.endsWith(MASK)) return shown.has(text.slice(0, -MASK.length));
      // The raw words of a table of values.
      return event !== undefined && configured.includes(`${JSON.stringify(text)}:`);
    },
  };
}

function expectMasked(masked: string, recipe: Recipe, event: TransformedEvent | undefined): void {
  if (masked === MASK) return;
  const { scalars, names } = textsOf(JSON.parse(masked) as JsonValue);
  const { isName, isValue } = allowList(recipe, event);
  expect(names.filter((name) => !isName(name))).toEqual([]);
  expect(scalars.filter((text) => !isValue(text))).toEqual([]);
}

describe.each(Object.entries(BAD_INPUT_SOURCES))('a masked line of %s', (_, { source, file }) => {
  const recipe = testRecipe({ limits: { maxLineBytes: MAX_LINE_BYTES } }, source);
  const transformFile = createFileTransform(recipe);
  const anyFile = fc.oneof(
    file,
    fc.tuple(file, damage(foreign)).map(([bytes, change]) => change(bytes)),
  );

  it('says nothing that its event does not say', async () => {
    await fc.assert(
      fc.asyncProperty(anyFile, async (bytes) => {
        const { scanned } = await transformFile(bytes, WHOLE);
        if (scanned === undefined) return;
        const transform = compileRecipe(recipe, runtime, scanned);
        const clean = compileCleaner(recipe, runtime, scanned);
        const mask = compileLineMask(recipe, scanned);
        const maskCopy = compileLineMask(recipe, { format: COPY_FORMAT, header: null });
        const scanner = createRecordScanner(scanned, { firstLine: 1, maxLineBytes: MAX_LINE_BYTES });
        for await (const lines of readRecords([bytes] as never, scanner)) {
          for (const line of lines) {
            const outcome = transform(line);
            const event = outcome.outcome === 'accepted' ? outcome.event : undefined;
            expectMasked(mask(line, event), recipe, event);
            // A line can also be another one than the event is of.
            expectMasked(mask(line, undefined), recipe, undefined);
            // A copy names what a payload leaves out: `null` there.
            const copied = maskCopy(testLine(writeCopyLine(clean(line)), line.lineNo), event);
            expectMasked(copied.replaceAll(':null', `:"${MASK}"`), recipe, event);
          }
        }
      }),
      RUNS,
    );
  });
});

const IDENTIFIERS = { ...DETECTABLE, ...UNDETECTABLE };
const GOOD = { id: 'r-1', at: '2026-03-14T15:09:26.535Z', type: 'Purchase', session: 's-1' };
const JSON_PLACES: ((text: string) => object)[] = [
  (text) => ({ ...GOOD, user: { id: text }, data: { amount: 5 } }),
  (text) => ({ ...GOOD, user: { id: 1, email: text, [text]: text }, data: { amount: 5, email: text, buyer: text } }),
  (text) => ({
    ...GOOD,
    extra: text,
    deep: [{ er: text }],
    data: { amount: 5, page: `/a?q=${encodeURIComponent(text)}` },
  }),
  (text) => ({
    ...GOOD,
    data: { amount: 5, agent: `Firefox/1 ${text}`, network: text, item: { sku: 's', owner: text } },
  }),
  (text) => ({
    ...GOOD,
    data: { amount: 5, tags: ['a', 'b', 'c', text], other: text, note: 'a', [text]: { [text]: 1 } },
  }),
  (text) => ({ ...GOOD, at: text, data: { amount: text } }),
];
const CLF = '[14/Mar/2026:15:09:26 +0000]';
const quoted = (text: string) => text.replace(/["\\]/g, '\\$&');
const csvQuoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
const TABS = ['date', 'time', 'c-ip', 'cs-method', 'cs-uri-stem', 'sc-status', 'cs(Referer)', 'cs(User-Agent)'];
const escaped = (text: string) => encodeURIComponent(text);

/** Files of each format with one identifier in every place that no event may show. */
const PLANTED: Record<string, (text: string) => string> = {
  ndjson: (text) => `${JSON_PLACES.map((place) => JSON.stringify(place(text))).join('\n')}\n`,
  'json-concat': (text) => JSON_PLACES.map((place) => JSON.stringify(place(text))).join(''),
  combined: (text) =>
    [
      `${escaped(text)} - ${escaped(text)} ${CLF} "GET /a?q=${escaped(text)} HTTP/1.1" 200 5 "https://h/" "Firefox/1 (${quoted(text)})"\n`,
      `192.0.2.1 - - ${CLF} " ${quoted(text)}" 200 5 "-" "${quoted(text)}"\n`,
    ].join(''),
  csv: (text) =>
    [
      'id,at,type,session,user.id,amount,page,buyer,email,secret\n',
      `r-1,2026-03-14T15:09:26Z,Purchase,s-1,${csvQuoted(text)},5,${csvQuoted(`/a?${text}`)},${csvQuoted(text)},${csvQuoted(text)},${csvQuoted(text)}\n`,
    ].join(''),
  cloudfront: (text) =>
    [
      `#Version: 1.0\n#Fields: ${TABS.join(' ')} cs(Cookie)\n`,
      `${['2026-03-14', '15:09:26', escaped(text), 'GET', `/a%3Fq=${escaped(text)}`, '200', 'https://h/', escaped(`Firefox/1 ${text}`), escaped(text)].join('\t')}\n`,
    ].join(''),
};
const plantedSources = Object.entries(BAD_INPUT_SOURCES).filter(([name]) => name in PLANTED);

describe.each(plantedSources)('what is planted into %s', (name, { source }) => {
  const recipe = testRecipe({}, source);
  const transformFile = createFileTransform(recipe);

  async function maskedLines(text: string): Promise<{ masked: string; accepted: boolean }[]> {
    const bytes = Buffer.from(PLANTED[name]?.(text) ?? '');
    const { scanned } = await transformFile(bytes, WHOLE);
    if (scanned === undefined) throw new Error(`${name}: the file is refused`);
    const transform = compileRecipe(recipe, runtime, scanned);
    const mask = compileLineMask(recipe, scanned);
    const scanner = createRecordScanner(scanned, { firstLine: 1, maxLineBytes: 10_000 });
    const found: { masked: string; accepted: boolean }[] = [];
    const add = (line: RawLine) => {
      const outcome = transform(line);
      const accepted = outcome.outcome === 'accepted';
      found.push({ masked: mask(line, accepted ? outcome.event : undefined), accepted });
    };
    for await (const lines of readRecords([bytes] as never, scanner)) lines.forEach(add);
    return found;
  }

  it('is not seen, nor how long it is', async () => {
    const planter = new Planter();
    for (const { text } of planter.every(name, IDENTIFIERS)) {
      const lines = await maskedLines(text);
      expect(lines.some(({ accepted }) => accepted)).toBe(true);
      const written = lines.map(({ masked }) => masked).join('\n');
      for (const form of [text, encodeURIComponent(text), JSON.stringify(text).slice(1, -1)]) {
        expect(written).not.toContain(form);
      }
    }
    // Any two words of no meaning give the same masked lines, whatever their length.
    await fc.assert(
      fc.asyncProperty(fc.stringMatching(/^[g-z]{3,9}$/), fc.stringMatching(/^[g-z]{10,40}$/), async (one, other) => {
        const [short, long] = [await maskedLines(one), await maskedLines(other)];
        expect(long.map(({ masked }) => masked)).toEqual(short.map(({ masked }) => masked));
      }),
      { ...RUNS, numRuns: 20 },
    );
  });
});
