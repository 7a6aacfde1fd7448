import { eventId } from '@backfill/core/domain/event-id';
import { parseEventTime } from '@backfill/core/domain/event-time';
import type { JsonObject } from '@backfill/core/domain/json';
import { createRecordScanner } from '@backfill/core/formats/formats';
import type { RawLine } from '@backfill/core/formats/raw-line';
import { compileEvents, type EventPlan } from '@backfill/core/recipe/compile-events';
import { compileIdentifier } from '@backfill/core/recipe/compile-identifier';
import { compileRecipe } from '@backfill/core/recipe/compile-recipe';
import { compileUnknownFields } from '@backfill/core/recipe/compile-unknown-fields';
import type { LineOutcome } from '@backfill/core/recipe/line-outcome';
import { payloadText } from '@backfill/core/recipe/payload-text';
import { createPiiContext } from '@backfill/core/recipe/pii-context';
import { PiiCounter } from '@backfill/core/recipe/pii-counter';
import { compilePath } from '@backfill/core/recipe/read-path';
import { compileRecordReader } from '@backfill/core/recipe/read-record';
import type { Recipe } from '@backfill/core/recipe/recipe';
import { PartBuilder } from '@backfill/core/transform/part-builder';
import { BENCH_KEYS } from './bench-recipe.ts';
import { BENCH_FILE, isSuppressed } from './transform-blocks.ts';

/** Times one stage of the transform over all events, alone; each stage is compiled anew, with its caches empty. */
export type Stage = () => void;

/** What the stages work on, made before anything is timed. */
interface Made {
  lines: readonly RawLine[];
  records: readonly JsonObject[];
  times: readonly number[];
  properties: readonly JsonObject[];
  payloads: readonly string[];
  outcomes: readonly LineOutcome[];
  plan: EventPlan;
}

function scan(recipe: Recipe, blocks: readonly Buffer[]): RawLine[] {
  const scanner = createRecordScanner(BENCH_FILE, { firstLine: 1, maxLineBytes: recipe.limits.maxLineBytes });
  return [...blocks.flatMap((block) => scanner.feed(block)), ...scanner.finish()];
}

function recordReader() {
  const read = compileRecordReader(BENCH_FILE, { exactIntegers: false, csv: {} });
  return (line: RawLine): JsonObject => {
    const result = read(line);
    if (!result.ok) throw new Error('a generated line has no record');
    return result.record;
  };
}

function timeReader({ source }: Recipe) {
  const { path, format } = source.mapping.time;
  const read = compilePath(path);
  return (record: JsonObject): number => {
    const time = parseEventTime(read(record), format, undefined);
    if (typeof time === 'string') throw new Error('a generated record has no time');
    return time;
  };
}

/** Everything that depends on the recipe, compiled with empty caches. */
function compileAll(recipe: Recipe) {
  const observer = new PiiCounter();
  const context = createPiiContext(recipe, BENCH_KEYS, observer);
  const { record_id, session_id, subject_id } = recipe.source.mapping;
  const countUnknown = compileUnknownFields(recipe, observer);
  return {
    transform: compileRecipe(recipe, { keys: BENCH_KEYS, isSuppressed, observer }, BENCH_FILE),
    resolve: compileEvents(recipe, context),
    ids: [record_id, session_id, subject_id].map((mapping) => compileIdentifier(mapping, context)),
    countUnknown: countUnknown ?? (() => undefined),
  };
}

function make(recipe: Recipe, blocks: readonly Buffer[]): Made {
  const { transform, resolve } = compileAll(recipe);
  const lines = scan(recipe, blocks);
  const records = lines.map(recordReader());
  const times = records.map(timeReader(recipe));
  const [first] = records;
  const plan = first === undefined ? undefined : resolve(first);
  if (typeof plan !== 'object') throw new Error('there are no events');
  const properties = records.map((record, index) => plan.readProperties(record, times[index] ?? 0));
  const outcomes = lines.map(transform);
  const payloads = outcomes.map((result) => (result.outcome === 'accepted' ? result.event.payload : ''));
  if (payloads.includes('')) throw new Error('a generated line did not become an event');
  return { lines, records, times, plan, outcomes, payloads, properties: properties as JsonObject[] };
}

/** The stages of a line's way, by name, in order. */
export function createStages(recipe: Recipe, blocks: readonly Buffer[]): Record<string, Stage> {
  const made = make(recipe, blocks);
  const { lines, records, times, plan, properties, payloads, outcomes } = made;
  const pseudonym = 'p1_AAAAAAAAAAAAAAAAAAAAAA';
  const ids = { recordId: 'e00000001', occurrence: null, sessionId: pseudonym, subjectId: pseudonym };
  return {
    'split into lines': () => void scan(recipe, blocks),
    'decode and parse': () => {
      const read = recordReader();
      for (const line of lines) read(line);
    },
    time: () => {
      const read = timeReader(recipe);
      for (const record of records) read(record);
    },
    'ids and pseudonyms': () => {
      const readers = compileAll(recipe).ids;
      for (const [index, record] of records.entries()) for (const read of readers) read(record, times[index] ?? 0);
    },
    'unknown fields': () => {
      const { countUnknown } = compileAll(recipe);
      for (const record of records) countUnknown(record);
    },
    'properties and privacy rules': () => {
      const { resolve } = compileAll(recipe);
      for (const [index, record] of records.entries()) {
        const resolved = resolve(record);
        if (typeof resolved === 'object') resolved.readProperties(record, times[index] ?? 0);
      }
    },
    schema: () => {
      for (const each of properties) plan.validate(each);
    },
    'payload text': () => {
      for (const each of properties) payloadText(plan.eventName, each, ids);
    },
    'event id': () => {
      for (const [index, payload] of payloads.entries()) eventId('bench', times[index] ?? 0, payload);
    },
    'rows of the part': () => {
      const builder = new PartBuilder('bench', 'bench.ndjson', 1);
      for (const [index, line] of lines.entries()) builder.add(line, outcomes[index] as LineOutcome);
      builder.build();
    },
  };
}
