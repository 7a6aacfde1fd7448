import { isJsonObject, type JsonValue } from '../domain/json.ts';
import type { ParsedRecord, RecordFormat } from './record-format.ts';

/** One JSON object per line. Of a repeated name the last one counts, as JSON.parse has it. */
export const ndjson: RecordFormat = {
  name: 'ndjson',
  detect: (sampleLines) => sampleLines.every((line) => line.trim() === '' || parseNdjson(line).ok),
  parse: parseNdjson,
};

function parseNdjson(text: string): ParsedRecord {
  let value: JsonValue;
  try {
    value = JSON.parse(text);
  } catch (error) {
    // The parser's message quotes the line, which may be personal: only the code goes on.
    if (error instanceof SyntaxError) return { ok: false, reason: 'not_json' };
    throw error;
  }
  return isJsonObject(value) ? { ok: true, record: value } : { ok: false, reason: 'not_a_json_object' };
}
