import { isUtf8 } from 'node:buffer';
import type { JsonObject } from '../domain/json.ts';
import { sourceFormat } from '../formats/formats.ts';
import type { RawLine } from '../formats/raw-line.ts';
import type { FileFormat, ParserOptions } from '../formats/source-format.ts';
import { type EventlessOutcome, FILTERED, quarantined } from './line-outcome.ts';

/** A line's record, or the outcome of a line that has none. */
export type ReadRecord = { ok: true; record: JsonObject } | { ok: false; outcome: EventlessOutcome };

const BLANK = /^\s*$/;
const BYTE_ORDER_MARK = 0xef;

/**
 * Compiles the first half of a line's way: bytes to text to record. A byte order mark at the
 * start of a file is no part of its first line.
 */
export function compileRecordReader(file: FileFormat, options: ParserOptions): (line: RawLine) => ReadRecord {
  const parse = sourceFormat(file.format).createParser(file.header, options);
  return ({ bytes, lineNo }) => {
    if (bytes === undefined) return without(quarantined('line_too_long'));
    if (!isUtf8(bytes)) return without(quarantined('invalid_utf8'));
    const start = lineNo === 1 && hasByteOrderMark(bytes) ? 3 : 0;
    const text = bytes.toString('utf8', start);
    if (BLANK.test(text)) return without(FILTERED);
    const parsed = parse(text, lineNo);
    if (parsed.ok) return parsed;
    return without('skip' in parsed ? FILTERED : quarantined(`parse: ${parsed.reason}`));
  };
}

function hasByteOrderMark(bytes: Buffer): boolean {
  return bytes[0] === BYTE_ORDER_MARK && bytes[1] === 0xbb && bytes[2] === 0xbf;
}

function without(outcome: EventlessOutcome): ReadRecord {
  return { ok: false, outcome };
}
