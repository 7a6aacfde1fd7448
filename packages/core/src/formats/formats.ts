import type { FormatName } from '../domain/format-name.ts';
import { combined } from './combined.ts';
import { ndjson } from './ndjson.ts';
import type { RecordFormat } from './record-format.ts';

/** Every format by its name. A new one costs its own file and an entry here and in FORMAT_NAMES. */
const FORMATS: Record<FormatName, RecordFormat> = { ndjson, combined };

/** The format that a source file names. */
export function recordFormat(name: FormatName): RecordFormat {
  return FORMATS[name];
}

/** The first format that fits every sample line; undefined if none does or all lines are blank. */
export function detectFormat(sampleLines: string[]): RecordFormat | undefined {
  if (sampleLines.every((line) => line.trim() === '')) return undefined;
  return Object.values(FORMATS).find((format) => format.detect(sampleLines));
}
