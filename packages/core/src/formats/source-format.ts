import type { CsvOptions, FormatName, StoredFormatName } from '../domain/format-name.ts';
import type { JsonObject, JsonValue } from '../domain/json.ts';
import type { Framing } from './framing.ts';
import type { RawLine } from './raw-line.ts';

/** What one record became: fields, nothing (a header or comment line), or a reason code, never a piece of the record. */
export type ParsedRecord = { ok: true; record: JsonObject } | { ok: false; reason: string } | { ok: false; skip: true };

export type RecordParser = (text: string, lineNo: number) => ParsedRecord;

/** What decides how records are read, besides the file itself. Comes from the source file, which the recipe pins. */
export interface ParserOptions {
  /** Integers beyond 2^53 stay whole, as text. Costs time, so only where times are written in nanoseconds. */
  exactIntegers: boolean;
  csv: CsvOptions;
}

/** What the plan knows besides the file, to read its header. */
export interface HeaderHints {
  csv: CsvOptions;
  /**
   * True for a column that the source's mapping reads. No other name is pinned: where a file has no header row, its
   * first row is taken for one, and would bring personal data into the plan.
   */
  isMapped(column: string): boolean;
}

/**
 * A way to write records into a file: **detect** it, **plan** it (header and record boundaries), **read** it. One file
 * and an entry in formats.ts and FORMAT_NAMES each; plan, transformer and verifier use nothing else.
 *
 * Avro and Parquet come next, and belong below this interface: they are containers, like gzip. A decoder in
 * compression.ts (known by its first bytes, `Obj\x01` and `PAR1`) gives one JSON object per row on a line of its own; the
 * file is one chunk, rows are its lines, and everything from here on is ndjson. Avro streams; Parquet has its index at
 * the end, so its decoder needs ranged reads of the object besides the stream.
 */
export interface SourceFormat {
  readonly name: FormatName;
  /** True if the beginning of a file looks like this format. It may end anywhere. */
  detect(head: string): boolean;
  /**
   * What a reader that does not begin at the file's start has to know, as JSON, pinned by the plan.
   *
   * @param head the beginning of the file's text
   */
  readHeader(head: string, hints: HeaderHints): JsonValue;
  /** Adds what a record further on says about those behind it. Called for each in order, with its first bytes. */
  amendHeader?(header: JsonValue, line: RawLine): JsonValue;
  createFraming(header: JsonValue): Framing;
  createParser(header: JsonValue, options: ParserOptions): RecordParser;
}

/** A pinned file's format: all that a reader of any part of the file needs. */
export interface FileFormat {
  format: FormatName;
  header: JsonValue;
}

/** The format of a file as it is stored: the pinned one, or that of its pseudonymised copy, which has no header. */
export interface StoredFormat {
  format: StoredFormatName;
  header: JsonValue;
}

/** The record that no event comes from and that nothing is wrong with. */
export const SKIPPED: ParsedRecord = { ok: false, skip: true };
