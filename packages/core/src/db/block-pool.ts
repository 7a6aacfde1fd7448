/**
 * Blocks of memory that are used again and again. V8 takes its time to free buffers that nobody needs any more, so
 * memory would hold the rows of several parts instead of one.
 */
export class BlockPool {
  readonly #blockBytes: number;
  readonly #mostBlocks: number;
  readonly #spare: Buffer[] = [];

  /**
   * @param blockBytes size of each block
   * @param mostBlocks blocks that are kept while nobody needs them
   */
  constructor(blockBytes: number, mostBlocks: number) {
    this.#blockBytes = blockBytes;
    this.#mostBlocks = mostBlocks;
  }

  /** A block with anything in it. */
  take(): Buffer {
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(this.#blockBytes);
  }

  /** Gives a whole block back. The caller, and whoever got it from the caller, must not look at it again. */
  give(block: Buffer): void {
    if (block.length === this.#blockBytes && this.#spare.length < this.#mostBlocks) this.#spare.push(block);
  }
}
