import { isJsonObject } from '@backfill/core/domain/json';
import { tryParseJson } from '@backfill/core/domain/try-json';
import type { Recipe } from '@backfill/core/recipe/recipe';
import { outcomeOf, type SecondOutcome, type SecondReading } from './second-reading.ts';

const asText = (value: unknown) => (typeof value === 'string' ? value : null);

/** Compiles the second reading of a pseudonymised copy's lines, of which only the id is left to be made. */
export function compileSecondCopyReading(recipe: Recipe): SecondReading {
  const { startMs, endMs } = recipe.window;
  return (line): SecondOutcome => {
    const text = line.bytes?.toString('utf8') ?? '';
    if (text === '') return { outcome: 'filtered' };
    const value = tryParseJson(text);
    if (!isJsonObject(value)) return { outcome: 'quarantined', subjectId: null };
    const subjectId = asText(value.subject_id);
    if (value.outcome === 'expired') return { outcome: 'expired' };
    const timeMs = Date.parse(String(value.event_ts));
    const { properties } = value;
    const eventName = asText(value.event_name);
    if (eventName === null || !isJsonObject(properties) || !(timeMs >= startMs && timeMs < endMs)) {
      return { outcome: 'quarantined', subjectId };
    }
    const [recordId, sessionId] = [asText(value.record_id), asText(value.session_id)];
    return outcomeOf(recipe, { eventName, timeMs, recordId, sessionId, subjectId, properties }, line);
  };
}
