import { BlockPool } from './block-pool.ts';

const BLOCK_BYTES = 512 * 1024;
/** What one part needs, and a little more. */
const MOST_SPARE_BYTES = 48 * 1024 * 1024;
/** Characters after which rows are turned into bytes: strings this short-lived never reach the old heap. */
const TEXT_CHARACTERS = 8 * 1024;
/** Of UTF-8, per UTF-16 code unit. */
const MOST_CHARACTER_BYTES = 3;

const pool = new BlockPool(BLOCK_BYTES, MOST_SPARE_BYTES / BLOCK_BYTES);

/** Rows in COPY text format, kept as a few large blocks of bytes instead of many small strings. */
export class CopyRows {
  readonly #filled: Buffer[] = [];
  /** From the pool, all but those of a single long text. */
  readonly #taken: Buffer[] = [];
  #block: Buffer = Buffer.alloc(0);
  #used = 0;
  #text = '';
  #rows = 0;

  /** @param row with its line end, see copyTextRow. */
  add(row: string): void {
    this.#text += row;
    this.#rows += 1;
    if (this.#text.length >= TEXT_CHARACTERS) this.#writeText();
  }

  get count(): number {
    return this.#rows;
  }

  /** What was added so far, in order. */
  blocks(): readonly Buffer[] {
    this.#writeText();
    this.#endBlock();
    return this.#filled;
  }

  /** Gives the memory back: what `blocks` returned is overwritten by others from here on. */
  release(): void {
    for (const block of this.#taken) pool.give(block);
    this.#taken.length = 0;
    this.#filled.length = 0;
  }

  #writeText(): void {
    const mostBytes = this.#text.length * MOST_CHARACTER_BYTES;
    if (mostBytes > this.#block.length - this.#used) this.#beginBlock(mostBytes);
    this.#used += this.#block.write(this.#text, this.#used);
    this.#text = '';
  }

  #beginBlock(leastBytes: number): void {
    this.#endBlock();
    const isLong = leastBytes > BLOCK_BYTES;
    this.#block = isLong ? Buffer.allocUnsafeSlow(leastBytes) : pool.take();
    if (!isLong) this.#taken.push(this.#block);
  }

  #endBlock(): void {
    if (this.#used > 0) this.#filled.push(this.#block.subarray(0, this.#used));
    this.#block = Buffer.alloc(0);
    this.#used = 0;
  }
}
