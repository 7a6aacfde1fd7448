import type { FormatName } from '../domain/format-name.ts';
import type { JsonObject } from '../domain/json.ts';

/** What one line of text became; the reason is a short code, never a piece of the line. */
export type ParsedRecord = { ok: true; record: JsonObject } | { ok: false; reason: string };

/** A way to write one record per line. */
export interface RecordFormat {
  name: FormatName;
  /** True if every sample line that is not blank is of this format. */
  detect(sampleLines: string[]): boolean;
  parse(text: string): ParsedRecord;
}
