/** Where lines go: a terminal that can redraw them, or a pipe that cannot. */
export interface TextOutput {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
  rows?: number;
}

const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;
const CLEAR_TO_END = '\x1b[J';

/** A few lines at the end of a terminal that are drawn over again and again. */
export class LiveBlock {
  readonly #out: TextOutput;
  #height = 0;
  #drawn = '';

  constructor(out: TextOutput) {
    this.#out = out;
  }

  /**
   * Draws the block in place of what it showed before, cut to the size of the terminal: only what is
   * on it can be drawn over.
   */
  draw(lines: readonly string[]): void {
    // One column stays free: some terminals wrap as soon as the last one is filled.
    const width = Math.max(1, (this.#out.columns ?? DEFAULT_COLUMNS) - 1);
    const height = Math.max(1, (this.#out.rows ?? DEFAULT_ROWS) - 1);
    const shown = lines.slice(0, height).map((line) => `${line.slice(0, width)}\n`);
    const text = shown.join('');
    if (text === this.#drawn) return;
    this.#out.write(`${this.#back()}${text}`);
    this.#height = shown.length;
    this.#drawn = text;
  }

  #back(): string {
    return this.#height === 0 ? '' : `\x1b[${this.#height}A\r${CLEAR_TO_END}`;
  }
}
