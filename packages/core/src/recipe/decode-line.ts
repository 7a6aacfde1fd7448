import { isUtf8 } from 'node:buffer';
import type { RawLine } from '../formats/raw-line.ts';

export type DecodedLine = { ok: true; text: string } | { ok: false; reason: 'line_too_long' | 'invalid_utf8' };

/** The text of a line; a byte order mark at the start of a file is no part of it. */
export function decodeLine(line: RawLine): DecodedLine {
  const { bytes } = line;
  if (bytes === undefined) return { ok: false, reason: 'line_too_long' };
  if (!isUtf8(bytes)) return { ok: false, reason: 'invalid_utf8' };
  const start = line.lineNo === 1 && hasByteOrderMark(bytes) ? 3 : 0;
  return { ok: true, text: bytes.toString('utf8', start) };
}

function hasByteOrderMark(bytes: Buffer): boolean {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
}
