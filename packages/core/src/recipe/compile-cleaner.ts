import { parseEventTime, parseZoneOffset, type TimeFailure } from '../domain/event-time.ts';
import type { JsonObject } from '../domain/json.ts';
import type { RawLine } from '../formats/raw-line.ts';
import type { FileFormat } from '../formats/source-format.ts';
import { type CleanedLine, quarantinedOf } from './cleaned-line.ts';
import { compileEvents, type EventPlan } from './compile-events.ts';
import { compileIdentifier } from './compile-identifier.ts';
import { compileUnknownFields } from './compile-unknown-fields.ts';
import type { KeyRing } from './key-ring.ts';
import { EXPIRED, FILTERED, quarantined, SUPPRESSED } from './line-outcome.ts';
import { createPiiContext, type PiiContext, type PiiObserver } from './pii-context.ts';
import { compilePath } from './read-path.ts';
import { compileRecordReader } from './read-record.ts';
import type { Recipe } from './recipe.ts';
import { schemaReason } from './schema-reason.ts';

/** What cleaning needs that is not pinned. */
export interface CleanerRuntime {
  /** Their check values must be the recipe's (see `keyCheck`). */
  keys: KeyRing;
  /** Is told what the privacy rules do, where somebody wants to know. */
  observer?: PiiObserver;
  /** True for the pseudonym of a person whose events must not be stored. */
  isSuppressed(subjectId: string): boolean;
}

/** Turns one raw line into what may be kept of it. Never throws for what stands in the line. */
export type LineCleaner = (line: RawLine) => CleanedLine;

/** Compiles the first half of a recipe: everything that looks at raw data, in the order that `compileRecipe` gives. */
export function compileCleaner(recipe: Recipe, runtime: CleanerRuntime, file: FileFormat): LineCleaner {
  const { mapping, csv = {} } = recipe.source;
  const readRecord = compileRecordReader(file, { exactIntegers: mapping.time.format === 'epoch-ns', csv });
  const cleanRecord = compileRecord(recipe, runtime);
  return (line) => {
    const read = readRecord(line);
    return read.ok ? cleanRecord(read.record) : read.outcome;
  };
}

function compileRecord(recipe: Recipe, runtime: CleanerRuntime): (record: JsonObject) => CleanedLine {
  const { startMs, endMs } = recipe.window;
  const latestEventMs = recipe.latestEventMs ?? Number.POSITIVE_INFINITY;
  const retentionCutoffMs = recipe.retentionCutoffMs ?? Number.NEGATIVE_INFINITY;
  const context = createPiiContext(recipe, runtime.keys, runtime.observer);
  const countUnknown = compileUnknownFields(recipe, runtime.observer);
  const readTime = compileTime(recipe);
  const resolveEvent = compileEvents(recipe, context);
  const readIds = compileIds(recipe, context);
  return (record) => {
    const eventTsMs = readTime(record);
    if (typeof eventTsMs === 'string') return quarantined(`time: ${eventTsMs}`);
    if (eventTsMs < startMs || eventTsMs >= endMs) return FILTERED;
    if (eventTsMs > latestEventMs) return quarantined('time: in_the_future');
    const plan = resolveEvent(record);
    if (plan === undefined) return FILTERED;
    if (typeof plan === 'string') return quarantined(`event_name: ${plan}`);
    if (eventTsMs < retentionCutoffMs) return EXPIRED;
    const ids = readIds(record, eventTsMs);
    if (typeof ids === 'string') return quarantined(ids);
    if (ids.subjectId !== null && runtime.isSuppressed(ids.subjectId)) return SUPPRESSED;
    countUnknown?.(record);
    context.refusal = undefined;
    const properties = plan.readProperties(record, eventTsMs);
    if (context.refusal !== undefined) return quarantinedOf(ids.subjectId, context.refusal);
    return toCleaned(plan, properties, eventTsMs, ids);
  };
}

function compileTime(recipe: Recipe): (record: JsonObject) => number | TimeFailure {
  const { path, format, zone } = recipe.source.mapping.time;
  const read = compilePath(path);
  const zoneOffsetMs = zone === undefined ? undefined : parseZoneOffset(zone);
  return (record) => parseEventTime(read(record), format, zoneOffsetMs);
}

interface Ids {
  recordId: string | null;
  sessionId: string | null;
  subjectId: string | null;
}

function toCleaned(plan: EventPlan, properties: JsonObject | string, eventTsMs: number, ids: Ids): CleanedLine {
  const { eventName, schemaVersion } = plan;
  const { recordId, sessionId, subjectId } = ids;
  if (typeof properties === 'string') return quarantinedOf(subjectId, properties);
  if (!plan.validate(properties)) return quarantinedOf(subjectId, schemaReason(plan.validate.errors));
  const event = { eventName, schemaVersion, eventTsMs, recordId, sessionId, subjectId, properties };
  return { outcome: 'cleaned', event };
}

/** Reads the three ids of a record; gives the quarantine reason of the first that is unusable. */
function compileIds(recipe: Recipe, context: PiiContext): (record: JsonObject, eventTsMs: number) => Ids | string {
  const { mapping, identity } = recipe.source;
  const readRecordId = compileIdentifier(mapping.record_id, context);
  const readSessionId = compileIdentifier(mapping.session_id, context);
  const readSubjectId = compileIdentifier(mapping.subject_id, context);
  const needsRecordId = identity === 'record-id';
  return (record, eventTsMs) => {
    const recordId = readRecordId(record, eventTsMs);
    if (!recordId.ok) return `record_id: ${recordId.reason}`;
    if (needsRecordId && recordId.id === null) return 'record_id: missing';
    const sessionId = readSessionId(record, eventTsMs);
    if (!sessionId.ok) return `session_id: ${sessionId.reason}`;
    const subjectId = readSubjectId(record, eventTsMs);
    if (!subjectId.ok) return `subject_id: ${subjectId.reason}`;
    return { recordId: recordId.id, sessionId: sessionId.id, subjectId: subjectId.id };
  };
}
