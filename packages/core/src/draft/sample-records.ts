import type { FormatName } from '../domain/format-name.ts';
import type { JsonObject } from '../domain/json.ts';
import { createRecordScanner, detectFormat } from '../formats/formats.ts';
import { compileRecordReader } from '../recipe/read-record.ts';

/** What the beginning of a raw file holds. */
export interface RecordSample {
  format: FormatName;
  records: JsonObject[];
  /** Records that are not of the format. */
  unreadable: number;
}

const HEAD_BYTES = 64 * 1024;
const MAX_LINE_BYTES = 1024 * 1024;

/**
 * Reads the records at the beginning of a raw file; undefined if it looks like no known format.
 *
 * @param bytes the beginning of the file, decompressed
 * @param isWhole true if that is all of it: otherwise its last record may be cut
 */
export function sampleRecords(bytes: Buffer, isWhole: boolean, maxRecords: number): RecordSample | undefined {
  const head = bytes.toString('utf8', 0, HEAD_BYTES);
  const format = detectFormat(head);
  if (format === undefined) return undefined;
  let header = format.readHeader(head, { csv: {}, isMapped: () => true });
  const scanner = createRecordScanner({ format: format.name, header }, { firstLine: 1, maxLineBytes: MAX_LINE_BYTES });
  const lines = [...scanner.feed(bytes), ...(isWhole ? scanner.finish() : [])].slice(0, maxRecords);
  for (const line of lines) header = format.amendHeader?.(header, line) ?? header;
  const read = compileRecordReader({ format: format.name, header }, { exactIntegers: false, csv: {} });
  const results = lines.map(read);
  const unreadable = results.filter((result) => !result.ok && result.outcome.outcome === 'quarantined').length;
  return { format: format.name, records: results.flatMap((result) => (result.ok ? [result.record] : [])), unreadable };
}
