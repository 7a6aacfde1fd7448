/** Where lines go: a terminal that can redraw them, or a pipe that cannot. */
export interface TextOutput {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
}

const DEFAULT_COLUMNS = 80;
const CLEAR_TO_END = '\x1b[J';

/**
 * A few lines at the end of a terminal that are drawn over again and again. What else is printed
 * meanwhile goes through `print`, above the block.
 */
export class LiveBlock {
  readonly #out: TextOutput;
  #height = 0;
  #drawn = '';

  constructor(out: TextOutput) {
    this.#out = out;
  }

  /** Draws the block, in place of what it showed before. Lines are cut at the terminal's width. */
  draw(lines: readonly string[]): void {
    // One column stays free: some terminals wrap as soon as the last one is filled.
    const width = Math.max(1, (this.#out.columns ?? DEFAULT_COLUMNS) - 1);
    const text = lines.map((line) => `${line.slice(0, width)}\n`).join('');
    if (text === this.#drawn) return;
    this.#out.write(`${this.#back()}${text}`);
    this.#height = lines.length;
    this.#drawn = text;
  }

  /** Prints lines above the block. The block is gone until it is drawn again. */
  print(lines: readonly string[]): void {
    this.#out.write(`${this.#back()}${lines.map((line) => `${line}\n`).join('')}`);
    this.#height = 0;
    this.#drawn = '';
  }

  #back(): string {
    return this.#height === 0 ? '' : `\x1b[${this.#height}A\r${CLEAR_TO_END}`;
  }
}
