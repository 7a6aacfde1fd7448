/** Characters after which rows are turned into bytes: strings this short-lived never reach the old heap. */
const BLOCK_CHARACTERS = 256 * 1024;

/** Rows in COPY text format, kept as a few large blocks of bytes instead of many small strings. */
export class CopyRows {
  readonly #blocks: Buffer[] = [];
  #text = '';
  #rows = 0;

  /** @param row with its line end, see copyTextRow. */
  add(row: string): void {
    this.#text += row;
    this.#rows += 1;
    if (this.#text.length >= BLOCK_CHARACTERS) this.#flush();
  }

  get count(): number {
    return this.#rows;
  }

  /** What was added so far, in order. */
  blocks(): readonly Buffer[] {
    this.#flush();
    return this.#blocks;
  }

  #flush(): void {
    if (this.#text.length === 0) return;
    this.#blocks.push(Buffer.from(this.#text));
    this.#text = '';
  }
}
