import { eventId } from '../domain/event-id.ts';
import type { RawLine } from '../formats/raw-line.ts';
import type { CleanedLine } from './cleaned-line.ts';
import { type LineOutcome, quarantined } from './line-outcome.ts';
import { payloadText } from './payload-text.ts';
import { countsOccurrences, type Recipe } from './recipe.ts';

/** Gives the event of a cleaned line its payload and its id. */
export type LineFinisher = (cleaned: CleanedLine, line: Pick<RawLine, 'occurrence'>) => LineOutcome;

/** Compiles the second half of a recipe, to which nothing raw comes any more. */
export function compileFinisher(recipe: Recipe): LineFinisher {
  const { source } = recipe.source;
  const isCounted = countsOccurrences(recipe);
  return (cleaned, line) => {
    if (cleaned.outcome === 'quarantined') return quarantined(cleaned.reason);
    if (cleaned.outcome !== 'cleaned') return cleaned;
    const { eventName, schemaVersion, eventTsMs, recordId, sessionId, subjectId, properties } = cleaned.event;
    const occurrence = isCounted ? (line.occurrence ?? 1) : null;
    const payload = payloadText(eventName, properties, { recordId, occurrence, sessionId, subjectId });
    if (payload === undefined) return quarantined('text: unusable_character');
    const id = eventId(source, eventTsMs, payload);
    const event = { eventId: id, eventName, schemaVersion, eventTsMs, sessionId, subjectId, payload };
    return { outcome: 'accepted', event };
  };
}
