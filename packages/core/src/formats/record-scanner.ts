import type { Framing } from './framing.ts';
import type { RawLine } from './raw-line.ts';

/** The longest terminator, CR LF. */
const TERMINATOR_BYTES = 2;

/**
 * Cuts a stream of bytes into numbered records: every byte belongs to exactly one. A record longer than the limit is
 * counted, but its bytes are not kept, so memory stays within the limit (or the framing's `resyncBytes`) plus one block
 * whatever the input is.
 *
 * The records may share memory with the blocks: they are good as long as the producer does not reuse a block.
 */
export class RecordScanner {
  readonly #framing: Framing;
  readonly #maxLineBytes: number;
  /** Of a record, terminator included; a longer one is only counted. */
  readonly #keepBytes: number;
  readonly #tail: RecordTail;
  #lineNo: number;

  /**
   * @param options.firstLine number of the first record
   * @param options.maxLineBytes longest record that is kept, in bytes, without its terminator
   */
  constructor(framing: Framing, options: { firstLine: number; maxLineBytes: number }) {
    this.#framing = framing;
    this.#maxLineBytes = options.maxLineBytes;
    this.#lineNo = options.firstLine;
    this.#keepBytes = Math.max(options.maxLineBytes + TERMINATOR_BYTES, framing.resyncBytes);
    this.#tail = new RecordTail(this.#keepBytes);
  }

  /** The records that end within this block. */
  feed(block: Buffer): RawLine[] {
    const lines: RawLine[] = [];
    let bytes = block;
    let start = 0;
    let end = this.#framing.findEnd(bytes, start);
    while (end >= 0) {
      const hadTail = this.#tail.byteLength > 0;
      const piece = bytes.subarray(start, end);
      const again = this.#close(hadTail ? this.#tail.take(piece) : piece, lines);
      if (again === undefined || again.length === 0) start = end;
      else if (hadTail) {
        bytes = Buffer.concat([again, bytes.subarray(end)]);
        start = 0;
      } else start = end - again.length;
      end = this.#framing.findEnd(bytes, start);
    }
    this.#tail.append(bytes.subarray(start));
    return lines;
  }

  /** Ends the input: what is left is a record too, with or without a terminator. */
  finish(): RawLine[] {
    const lines: RawLine[] = [];
    while (this.#tail.byteLength > 0) {
      const again = this.#close(this.#tail.take(Buffer.alloc(0)), lines);
      if (again !== undefined) for (const line of this.feed(again)) lines.push(line);
    }
    return lines;
  }

  /** Adds the record that ended, and gives what of its bytes must be read again. */
  #close(record: Buffer | number, lines: RawLine[]): Buffer | undefined {
    const isDamaged = this.#framing.isDamaged;
    if (typeof record === 'number') {
      lines.push(this.#line(undefined, record, isDamaged));
      this.#framing.reset();
      return undefined;
    }
    const canResync = isDamaged && record.length <= this.#framing.resyncBytes;
    const length = canResync ? this.#framing.resync(record) : record.length;
    lines.push(this.#line(record.subarray(0, length), length, isDamaged));
    this.#framing.reset();
    return length < record.length ? record.subarray(length) : undefined;
  }

  #line(record: Buffer | undefined, byteLength: number, isDamaged: boolean): RawLine {
    const content = record === undefined || byteLength > this.#keepBytes ? undefined : this.#framing.trim(record);
    const bytes = content !== undefined && content.length <= this.#maxLineBytes ? content : undefined;
    const line: RawLine = { lineNo: this.#lineNo++, bytes, byteLength };
    if (isDamaged) line.isDamaged = true;
    return line;
  }
}

/** The beginning of a record whose end has not been read yet. */
class RecordTail {
  byteLength = 0;
  readonly #keepBytes: number;
  #kept: Buffer = Buffer.alloc(0);

  constructor(keepBytes: number) {
    this.#keepBytes = keepBytes;
  }

  /** Copies what may still be part of a record within the limit, and counts the rest. */
  append(piece: Buffer): void {
    if (piece.length === 0) return;
    const length = this.byteLength;
    this.byteLength += piece.length;
    if (this.byteLength > this.#keepBytes) {
      this.#kept = Buffer.alloc(0);
      return;
    }
    if (this.byteLength > this.#kept.length) {
      const grown = Buffer.allocUnsafe(length === 0 ? piece.length : Math.min(this.byteLength * 2, this.#keepBytes));
      this.#kept.copy(grown, 0, 0, length);
      this.#kept = grown;
    }
    piece.copy(this.#kept, length);
  }

  /** Hands the record over with its last piece, and starts the next one; only its length when it is too long. */
  take(lastPiece: Buffer): Buffer | number {
    this.append(lastPiece);
    const record = this.byteLength > this.#keepBytes ? this.byteLength : this.#kept.subarray(0, this.byteLength);
    this.byteLength = 0;
    this.#kept = Buffer.alloc(0);
    return record;
  }
}
