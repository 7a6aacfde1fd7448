import type { RawLine } from './raw-line.ts';

const LF = 0x0a;
const CR = 0x0d;

/**
 * Cuts a byte stream into lines at LF; a CR before the LF belongs to the terminator. One batch
 * per input block. The last line counts without an LF too. A line longer than `maxLineBytes`
 * (without its terminator) is counted, but its bytes are not kept, so memory stays within the
 * limit plus one block whatever the input is.
 *
 * The lines may share memory with the input blocks: they are good as long as the producer does
 * not reuse a block that it handed over.
 *
 * @param options.firstLine number of the first line
 * @param options.maxLineBytes longest line that is kept, in bytes
 */
export async function* splitLines(
  source: AsyncIterable<Uint8Array>,
  options: { firstLine: number; maxLineBytes: number },
): AsyncGenerator<RawLine[]> {
  const tail = new LineTail(options.maxLineBytes);
  let lineNo = options.firstLine;
  for await (const block of source) {
    const bytes = Buffer.from(block.buffer, block.byteOffset, block.byteLength);
    const lines: RawLine[] = [];
    let start = 0;
    let end = bytes.indexOf(LF);
    if (end >= 0 && tail.byteLength > 0) {
      tail.append(bytes.subarray(0, end));
      lines.push(tail.takeLine(lineNo++, 1));
      start = end + 1;
      end = bytes.indexOf(LF, start);
    }
    while (end >= 0) {
      lines.push(rawLine(bytes.subarray(start, end), lineNo++, options.maxLineBytes));
      start = end + 1;
      end = bytes.indexOf(LF, start);
    }
    tail.append(bytes.subarray(start));
    if (lines.length > 0) yield lines;
  }
  if (tail.byteLength > 0) yield [tail.takeLine(lineNo, 0)];
}

/** A line found whole inside one block; `content` is without its LF. */
function rawLine(content: Buffer, lineNo: number, maxLineBytes: number): RawLine {
  const byteLength = content.length + 1;
  const text = content.at(-1) === CR ? content.subarray(0, -1) : content;
  return { lineNo, bytes: text.length > maxLineBytes ? undefined : text, byteLength };
}

/** The beginning of a line whose end has not been read yet. */
class LineTail {
  byteLength = 0;
  readonly #maxLineBytes: number;
  #kept: Buffer = Buffer.alloc(0);

  constructor(maxLineBytes: number) {
    this.#maxLineBytes = maxLineBytes;
  }

  /** Copies what may still be part of a line within the limit, and counts the rest. */
  append(piece: Buffer): void {
    if (piece.length === 0) return;
    const length = this.byteLength;
    this.byteLength += piece.length;
    // One byte over the limit is kept, because it may be the CR of the terminator.
    if (this.byteLength > this.#maxLineBytes + 1) {
      this.#kept = Buffer.alloc(0);
      return;
    }
    if (this.byteLength > this.#kept.length) {
      const grown = Buffer.allocUnsafe(
        length === 0 ? piece.length : Math.min(this.byteLength * 2, this.#maxLineBytes + 1),
      );
      this.#kept.copy(grown, 0, 0, length);
      this.#kept = grown;
    }
    piece.copy(this.#kept, length);
  }

  /** Hands the line over and starts the next one. */
  takeLine(lineNo: number, terminatorBytes: 0 | 1): RawLine {
    const byteLength = this.byteLength + terminatorBytes;
    let bytes: Buffer | undefined;
    if (this.byteLength <= this.#maxLineBytes + 1) {
      const content = this.#kept.subarray(0, this.byteLength);
      const text = terminatorBytes === 1 && content.at(-1) === CR ? content.subarray(0, -1) : content;
      if (text.length <= this.#maxLineBytes) bytes = text;
    }
    this.byteLength = 0;
    this.#kept = Buffer.alloc(0);
    return { lineNo, bytes, byteLength };
  }
}
