import { COPY_FORMAT, type FormatName } from '../domain/format-name.ts';
import { cloudfront } from './cloudfront.ts';
import { cloudfrontJson } from './cloudfront-json.ts';
import { combined } from './combined.ts';
import { csv } from './csv.ts';
import { jsonConcat } from './json-concat.ts';
import { createLineFraming } from './line-framing.ts';
import { ndjson } from './ndjson.ts';
import { RecordScanner } from './record-scanner.ts';
import type { SourceFormat, StoredFormat } from './source-format.ts';

/** Every format by its name, the more special before the more general: the first that fits a file is taken. */
const FORMATS: Record<FormatName, SourceFormat> = {
  cloudfront,
  'cloudfront-json': cloudfrontJson,
  ndjson,
  'json-concat': jsonConcat,
  combined,
  csv,
};

/** The format of this name. */
export function sourceFormat(name: FormatName): SourceFormat {
  return FORMATS[name];
}

/**
 * The format that the beginning of a file looks like; undefined if none fits.
 *
 * @param head some ten kilobytes of its text; a file of nothing but white space is taken as ndjson, which has nothing to
 *   say about it
 */
export function detectFormat(head: string): SourceFormat | undefined {
  if (head.trim() === '') return ndjson;
  return Object.values(FORMATS).find((format) => format.detect(head));
}

/** A scanner for a file of this format, or for the part of it that begins with record `firstLine`. */
export function createRecordScanner(
  { format, header }: StoredFormat,
  options: { firstLine: number; maxLineBytes: number },
): RecordScanner {
  const framing = format === COPY_FORMAT ? createLineFraming() : sourceFormat(format).createFraming(header);
  return new RecordScanner(framing, options);
}
