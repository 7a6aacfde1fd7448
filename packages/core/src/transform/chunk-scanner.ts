import type { RawLine } from '../formats/raw-line.ts';
import type { RecordScanner } from '../formats/record-scanner.ts';

/** A stretch of whole records: bytes [start, end) of what was fed. */
export interface LineRange {
  byteStart: number;
  byteEnd: number;
  firstLine: number;
  lineCount: number;
}

/**
 * Counts records as bytes go by, and cuts them into ranges that end on record ends: after the first one at or beyond
 * `chunkBytes`. Never behind a damaged record: where that ends was told from what follows it, which a reader of the
 * range alone does not see. Bytes are counted by feeding, so ranges are only of use for text that is stored
 * uncompressed.
 */
export class ChunkScanner {
  readonly ranges: LineRange[] = [];
  readonly #records: RecordScanner;
  readonly #chunkBytes: number;
  readonly #onLine: (line: RawLine) => void;
  #offset = 0;
  #lines = 0;
  #chunkStart = 0;
  #chunkFirstLine = 1;

  /** @param onLine sees every record */
  constructor(records: RecordScanner, chunkBytes: number, onLine: (line: RawLine) => void = () => undefined) {
    this.#records = records;
    this.#chunkBytes = chunkBytes;
    this.#onLine = onLine;
  }

  feed(block: Buffer): void {
    for (const line of this.#records.feed(block)) this.#add(line);
  }

  /** Ends the input; a last record without a terminator counts too. */
  finish(): { lines: number; bytes: number } {
    for (const line of this.#records.finish()) this.#add(line);
    if (this.#offset > this.#chunkStart) this.#cut();
    return { lines: this.#lines, bytes: this.#offset };
  }

  /** Records that have ended so far. */
  get lines(): number {
    return this.#lines;
  }

  #add(line: RawLine): void {
    this.#onLine(line);
    this.#lines += 1;
    this.#offset += line.byteLength;
    if (line.isDamaged === undefined && this.#offset - this.#chunkStart >= this.#chunkBytes) this.#cut();
  }

  #cut(): void {
    this.ranges.push({
      byteStart: this.#chunkStart,
      byteEnd: this.#offset,
      firstLine: this.#chunkFirstLine,
      lineCount: this.#lines - this.#chunkFirstLine + 1,
    });
    this.#chunkStart = this.#offset;
    this.#chunkFirstLine = this.#lines + 1;
  }
}
