/** Where lines go: a terminal that can redraw them, or a pipe that cannot. */
export interface TextOutput {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
  rows?: number;
  /** Told when the terminal gets another size. */
  on?(event: 'resize', listener: () => void): unknown;
  off?(event: 'resize', listener: () => void): unknown;
}

const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;
const CLEAR_TO_END = '\x1b[J';

/** A few lines at the end of a terminal that are drawn over again and again. */
export class LiveBlock {
  readonly #out: TextOutput;
  #shown: string[] = [];
  #columns = 0;

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
    const shown = lines.slice(0, height).map((line) => line.slice(0, width));
    const columns = width + 1;
    if (columns === this.#columns && shown.join('\n') === this.#shown.join('\n')) return;
    this.#out.write(`${this.#back(columns)}${shown.map((line) => `${line}\n`).join('')}`);
    this.#shown = shown;
    this.#columns = columns;
  }

  /** To where the block begins. A terminal that got narrower since has broken its lines into several. */
  #back(columns: number): string {
    const height = this.#shown.reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / columns)), 0);
    return height === 0 ? '' : `\x1b[${height}A\r${CLEAR_TO_END}`;
  }
}
