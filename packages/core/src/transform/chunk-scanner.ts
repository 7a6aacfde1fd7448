const LF = 0x0a;

/** A stretch of whole lines: bytes [start, end) of what was fed. */
export interface LineRange {
  byteStart: number;
  byteEnd: number;
  firstLine: number;
  lineCount: number;
}

/**
 * Counts lines as bytes go by, and cuts them into ranges that end on line ends: after the first line end at or beyond
 * `chunkBytes`. Bytes are counted by feeding, so ranges are only of use for text that is stored uncompressed. Holds no
 * input.
 */
export class ChunkScanner {
  readonly ranges: LineRange[] = [];
  readonly #chunkBytes: number;
  #offset = 0;
  #lines = 0;
  #chunkStart = 0;
  #chunkFirstLine = 1;
  #lineIsOpen = false;

  constructor(chunkBytes: number) {
    this.#chunkBytes = chunkBytes;
  }

  feed(block: Buffer): void {
    let end = block.indexOf(LF);
    while (end >= 0) {
      this.#lines += 1;
      const lineEnd = this.#offset + end + 1;
      if (lineEnd - this.#chunkStart >= this.#chunkBytes) this.#cut(lineEnd);
      end = block.indexOf(LF, end + 1);
    }
    this.#offset += block.length;
    if (block.length > 0) this.#lineIsOpen = block.at(-1) !== LF;
  }

  /** Ends the input; a last line without a line end counts too. */
  finish(): { lines: number; bytes: number } {
    if (this.#lineIsOpen) this.#lines += 1;
    this.#lineIsOpen = false;
    if (this.#offset > this.#chunkStart) this.#cut(this.#offset);
    return { lines: this.#lines, bytes: this.#offset };
  }

  /** Lines that have ended so far. */
  get lines(): number {
    return this.#lines;
  }

  #cut(byteEnd: number): void {
    this.ranges.push({
      byteStart: this.#chunkStart,
      byteEnd,
      firstLine: this.#chunkFirstLine,
      lineCount: this.#lines - this.#chunkFirstLine + 1,
    });
    this.#chunkStart = byteEnd;
    this.#chunkFirstLine = this.#lines + 1;
  }
}
