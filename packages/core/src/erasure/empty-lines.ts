import type { StoredFormatName } from '../domain/format-name.ts';
import { BackfillError } from '../errors.ts';
import type { RawLine } from '../formats/raw-line.ts';
import type { RecordScanner } from '../formats/record-scanner.ts';

/** A record beyond this is passed on in pieces, as it is. */
const MOST_HELD_BYTES = 64 * 1024 * 1024;
const LF = 0x0a;
const CR = 0x0d;

/** Where things stand in what came out. */
export interface EmptiedFile {
  /** Bytes so far. */
  size: number;
  lines: number;
  /** First line of a stretch → the byte that it begins with. */
  starts: Map<number, number>;
}

/**
 * What stands for a line that was emptied: its line end. JSON values that follow each other need something that is a
 * value, or the ones behind it would move up.
 */
export function emptyRecord(format: StoredFormatName, record: Buffer): Buffer {
  if (format === 'json-concat') {
    let end = record.length;
    while (end > 0 && [0x20, 0x09, LF, CR].includes(record[end - 1] as number)) end -= 1;
    return Buffer.concat([Buffer.from('{}'), record.subarray(end)]);
  }
  return Buffer.from(record.at(-1) === LF && record.at(-2) === CR ? '\r\n' : '\n');
}

/**
 * Passes the bytes of a file on with some lines emptied, so that every other one keeps its number and its bytes. A stream
 * in bounded memory.
 *
 * @param scanner fresh, for the file; `again`: another one
 * @param starts lines whose places are asked for
 * @throws {BackfillError} (from the generator) when a damaged neighbour would be read in another way
 */
export async function* emptyLines(
  blocks: AsyncIterable<Uint8Array>,
  { scanner, again, format }: { scanner: RecordScanner; again: RecordScanner; format: StoredFormatName },
  isErased: (lineNo: number) => boolean,
  written: EmptiedFile,
): AsyncGenerator<Buffer> {
  let held: Buffer = Buffer.alloc(0);
  let passedOn = 0;
  const lengths: number[] = [];

  function take({ lineNo, byteLength }: RawLine): Buffer {
    const rest = byteLength - passedOn;
    const record = held.subarray(0, rest);
    held = held.subarray(rest);
    if (written.starts.has(lineNo)) written.starts.set(lineNo, written.size - passedOn);
    const out = passedOn === 0 && isErased(lineNo) ? emptyRecord(format, record) : record;
    lengths.push(passedOn + out.length);
    written.size += out.length;
    written.lines += 1;
    passedOn = 0;
    return out;
  }
  /** What comes out must be read as the same records again. */
  function check(lines: readonly RawLine[]): void {
    for (const { byteLength, lineNo } of lines) {
      if (lengths.shift() !== byteLength)
        throw new BackfillError(`line ${lineNo} would be read in another way with its neighbour emptied`);
    }
  }

  for await (const block of blocks) {
    const bytes = Buffer.from(block.buffer, block.byteOffset, block.byteLength);
    held = held.length === 0 ? bytes : Buffer.concat([held, bytes]);
    const out = scanner.feed(bytes).map(take);
    if (held.length > MOST_HELD_BYTES) {
      out.push(held);
      written.size += held.length;
      passedOn += held.length;
      held = Buffer.alloc(0);
    }
    const joined = Buffer.concat(out);
    check(again.feed(joined));
    if (joined.length > 0) yield joined;
  }
  const last = Buffer.concat(scanner.finish().map(take));
  check(again.feed(last));
  check(again.finish());
  if (lengths.length > 0) throw new BackfillError('lines would be read in another way with their neighbours emptied');
  if (last.length > 0) yield last;
}
