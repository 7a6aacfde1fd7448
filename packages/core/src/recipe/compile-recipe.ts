import { eventId } from '../domain/event-id.ts';
import { parseEventTime, parseZoneOffset, type TimeFailure } from '../domain/event-time.ts';
import type { JsonObject } from '../domain/json.ts';
import type { RawLine } from '../formats/raw-line.ts';
import type { FileFormat } from '../formats/source-format.ts';
import { compileEvents, type EventPlan } from './compile-events.ts';
import { compileIdentifier } from './compile-identifier.ts';
import { compileUnknownFields } from './compile-unknown-fields.ts';
import type { KeyRing } from './key-ring.ts';
import { EXPIRED, FILTERED, type LineOutcome, quarantined, SUPPRESSED } from './line-outcome.ts';
import { type PayloadIds, payloadText } from './payload-text.ts';
import { createPiiContext, type PiiContext, type PiiObserver } from './pii-context.ts';
import { compilePath } from './read-path.ts';
import { compileRecordReader } from './read-record.ts';
import { countsOccurrences, type Recipe } from './recipe.ts';
import { schemaReason } from './schema-reason.ts';

/** What a recipe needs that is not pinned: the keys, and who must not come back. */
export interface RecipeRuntime {
  /** Their check values must be the recipe's (see `keyCheck`). */
  keys: KeyRing;
  /** Is told what the privacy rules do, where somebody wants to know. */
  observer?: PiiObserver;
  /** True for the pseudonym of a person whose events must not be stored. */
  isSuppressed(subjectId: string): boolean;
}

/** Turns one raw line into its outcome. Never throws for what stands in the line. */
export type LineTransformer = (line: RawLine) => LineOutcome;

/**
 * Compiles a recipe into a function over lines. The checks stand in this order, and the first
 * that applies decides:
 *
 * 1. longer than the limit, not UTF-8: quarantined; blank, header or comment: filtered; not of the format: quarantined
 * 2. time missing or unreadable: quarantined; outside the window: filtered, whatever else is
 *    wrong with the line, because it is another batch's line; from the future: quarantined
 * 3. event name missing: quarantined; not mapped: filtered
 * 4. older than the retention cut-off: expired
 * 5. record, session or subject id unusable: quarantined; subject suppressed: suppressed, before
 *    anything else of that person is looked at
 * 6. properties by the allow-list and the PII rules, after upcasts where the record is of an older version: no way up
 *    from it, an upcast that fails, a find where the source wants quarantine, or not as the schema wants: quarantined
 *
 * @param file what the plan pinned of the lines' file; may be left out for lines of a format that needs no header
 */
export function compileRecipe(
  recipe: Recipe,
  runtime: RecipeRuntime,
  file: FileFormat = formatWithoutHeader(recipe),
): LineTransformer {
  const { mapping, csv = {} } = recipe.source;
  const readRecord = compileRecordReader(file, { exactIntegers: mapping.time.format === 'epoch-ns', csv });
  const transformRecord = compileRecord(recipe, runtime);
  return (line) => {
    const read = readRecord(line);
    return read.ok ? transformRecord(read.record, line.occurrence) : read.outcome;
  };
}

function formatWithoutHeader(recipe: Recipe): FileFormat {
  return { format: recipe.source.format ?? 'ndjson', header: null };
}

function compileRecord(
  recipe: Recipe,
  runtime: RecipeRuntime,
): (record: JsonObject, occurrence: number | undefined) => LineOutcome {
  const { source } = recipe.source;
  const { startMs, endMs } = recipe.window;
  const latestEventMs = recipe.latestEventMs ?? Number.POSITIVE_INFINITY;
  const retentionCutoffMs = recipe.retentionCutoffMs ?? Number.NEGATIVE_INFINITY;
  const context = createPiiContext(recipe, runtime.keys, runtime.observer);
  const countUnknown = compileUnknownFields(recipe, runtime.observer);
  const readTime = compileTime(recipe);
  const resolveEvent = compileEvents(recipe, context);
  const readIds = compileIds(recipe, context);
  return (record, occurrence) => {
    const eventTsMs = readTime(record);
    if (typeof eventTsMs === 'string') return quarantined(`time: ${eventTsMs}`);
    if (eventTsMs < startMs || eventTsMs >= endMs) return FILTERED;
    if (eventTsMs > latestEventMs) return quarantined('time: in_the_future');
    const plan = resolveEvent(record);
    if (plan === undefined) return FILTERED;
    if (typeof plan === 'string') return quarantined(`event_name: ${plan}`);
    if (eventTsMs < retentionCutoffMs) return EXPIRED;
    const ids = readIds(record, eventTsMs, occurrence);
    if (typeof ids === 'string') return quarantined(ids);
    if (ids.subjectId !== null && runtime.isSuppressed(ids.subjectId)) return SUPPRESSED;
    countUnknown?.(record);
    context.refusal = undefined;
    const properties = plan.readProperties(record, eventTsMs);
    if (context.refusal !== undefined) return quarantined(context.refusal);
    return toEvent(source, plan, properties, eventTsMs, ids);
  };
}

function compileTime(recipe: Recipe): (record: JsonObject) => number | TimeFailure {
  const { path, format, zone } = recipe.source.mapping.time;
  const read = compilePath(path);
  const zoneOffsetMs = zone === undefined ? undefined : parseZoneOffset(zone);
  return (record) => parseEventTime(read(record), format, zoneOffsetMs);
}

function toEvent(
  source: string,
  plan: EventPlan,
  properties: JsonObject | string,
  eventTsMs: number,
  ids: PayloadIds,
): LineOutcome {
  const { eventName, schemaVersion } = plan;
  if (typeof properties === 'string') return quarantined(properties);
  if (!plan.validate(properties)) return quarantined(schemaReason(plan.validate.errors));
  const payload = payloadText(eventName, properties, ids);
  if (payload === undefined) return quarantined('text: unusable_character');
  const { sessionId, subjectId } = ids;
  const id = eventId(source, eventTsMs, payload);
  const event = { eventId: id, eventName, schemaVersion, eventTsMs, sessionId, subjectId, payload };
  return { outcome: 'accepted', event };
}

type IdsReader = (record: JsonObject, eventTsMs: number, occurrence: number | undefined) => PayloadIds | string;

/** Reads the three ids of a record; gives the quarantine reason of the first that is unusable. */
function compileIds(recipe: Recipe, context: PiiContext): IdsReader {
  const { mapping, identity } = recipe.source;
  const readRecordId = compileIdentifier(mapping.record_id, context);
  const readSessionId = compileIdentifier(mapping.session_id, context);
  const readSubjectId = compileIdentifier(mapping.subject_id, context);
  const needsRecordId = identity === 'record-id';
  const isCounted = countsOccurrences(recipe);
  return (record, eventTsMs, occurrence = 1) => {
    const recordId = readRecordId(record, eventTsMs);
    if (!recordId.ok) return `record_id: ${recordId.reason}`;
    if (needsRecordId && recordId.id === null) return 'record_id: missing';
    const sessionId = readSessionId(record, eventTsMs);
    if (!sessionId.ok) return `session_id: ${sessionId.reason}`;
    const subjectId = readSubjectId(record, eventTsMs);
    if (!subjectId.ok) return `subject_id: ${subjectId.reason}`;
    return {
      recordId: recordId.id,
      occurrence: isCounted ? occurrence : null,
      sessionId: sessionId.id,
      subjectId: subjectId.id,
    };
  };
}
