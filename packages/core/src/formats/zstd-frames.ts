import { CorruptInputError } from './corrupt-input-error.ts';

const FRAME_MAGIC = 0xfd2fb528;
const MAGIC_BYTES = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
const SKIPPABLE_MAGIC = 0x184d2a50;
const BLOCK_HEADER_BYTES = 3;
const RLE_BLOCK = 1;
const RESERVED_BLOCK = 3;

/** Bytes of a data frame; `isEnd` with the frame's last ones. */
export interface FramePiece {
  bytes: Buffer;
  isEnd: boolean;
}

type Part =
  | 'magic'
  | 'skippable-size'
  | 'skippable'
  | 'descriptor'
  | 'frame-header'
  | 'block-header'
  | 'block'
  | 'checksum';

/** Parts whose value matters, and parts that are not of a data frame (a magic number only once it is known). */
const LOOKED_AT: ReadonlySet<Part> = new Set(['magic', 'skippable-size', 'descriptor', 'block-header']);
const OUTSIDE: ReadonlySet<Part> = new Set(['magic', 'skippable-size', 'skippable']);

/**
 * Finds where the frames of zstd data end (RFC 8878, 3.1), from their headers alone. Node's decoder gives nothing behind
 * the first frame and says nothing about it (nodejs/node#64741), so it must be given one frame at a time.
 */
export class ZstdFrameWalker {
  #part: Part = 'magic';
  /** Bytes that the part still needs. */
  #missing = 4;
  /** The part's little-endian number so far, where it is one that matters. */
  #seen = 0;
  #seenBytes = 0;
  #hasChecksum = false;
  #isLastBlock = false;

  /**
   * The pieces of data frames in a block of the file; skippable frames are left out.
   *
   * @throws CorruptInputError where no frame begins or a block is of no known type
   */
  *walk(block: Buffer): Generator<FramePiece> {
    let start = 0;
    let index = 0;
    while (index < block.length) {
      const part = this.#part;
      const taken = Math.min(this.#missing, block.length - index);
      if (LOOKED_AT.has(part)) this.#look(block.subarray(index, index + taken));
      index += taken;
      this.#missing -= taken;
      if (OUTSIDE.has(part)) start = index;
      if (this.#missing > 0) break;
      const isEnd = this.#next();
      if (part === 'magic' && this.#part === 'descriptor') yield { bytes: MAGIC_BYTES, isEnd: false };
      if (!isEnd) continue;
      yield { bytes: block.subarray(start, index), isEnd };
      start = index;
    }
    if (start < block.length) yield { bytes: block.subarray(start), isEnd: false };
  }

  /** @throws CorruptInputError when the data ends within a frame */
  finish(): void {
    if (this.#part === 'magic' && this.#missing === 4) return;
    throw new CorruptInputError('the zstd data is cut off within a frame');
  }

  #look(bytes: Buffer): void {
    for (const byte of bytes) {
      this.#seen += byte * 2 ** (8 * this.#seenBytes);
      this.#seenBytes += 1;
    }
  }

  /** The part is whole. True when a data frame ends with it. */
  #next(): boolean {
    const value = this.#seen;
    this.#seen = 0;
    this.#seenBytes = 0;
    switch (this.#part) {
      case 'magic':
        return this.#afterMagic(value);
      case 'skippable-size':
        return value === 0 ? this.#expect('magic', 4) : this.#expect('skippable', value);
      case 'descriptor':
        return this.#afterDescriptor(value);
      case 'block-header':
        return this.#afterBlockHeader(value);
      case 'block':
        return this.#afterBlock();
      case 'frame-header':
        return this.#expect('block-header', BLOCK_HEADER_BYTES);
      case 'checksum':
        this.#expect('magic', 4);
        return true;
      default:
        return this.#expect('magic', 4);
    }
  }

  #afterMagic(magic: number): boolean {
    if (magic === FRAME_MAGIC) return this.#expect('descriptor', 1);
    if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) return this.#expect('skippable-size', 4);
    throw new CorruptInputError('there is something in the zstd data that is no frame');
  }

  /** RFC 8878, 3.1.1.1.1. */
  #afterDescriptor(descriptor: number): boolean {
    const isSingleSegment = (descriptor & 0x20) !== 0;
    this.#hasChecksum = (descriptor & 0x04) !== 0;
    const dictionaryBytes = [0, 1, 2, 4][descriptor & 0x03] as number;
    const sizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >>> 6] as number;
    const headerBytes = (isSingleSegment ? 0 : 1) + dictionaryBytes + sizeBytes;
    return this.#expect('frame-header', headerBytes);
  }

  /** RFC 8878, 3.1.1.2. */
  #afterBlockHeader(header: number): boolean {
    const type = (header >>> 1) & 0x03;
    if (type === RESERVED_BLOCK) throw new CorruptInputError('the zstd data is damaged (a block of no known type)');
    this.#isLastBlock = (header & 1) === 1;
    const size = type === RLE_BLOCK ? 1 : header >>> 3;
    return size === 0 ? this.#afterBlock() : this.#expect('block', size);
  }

  #afterBlock(): boolean {
    if (!this.#isLastBlock) return this.#expect('block-header', BLOCK_HEADER_BYTES);
    if (this.#hasChecksum) return this.#expect('checksum', 4);
    this.#expect('magic', 4);
    return true;
  }

  #expect(part: Part, bytes: number): false {
    this.#part = part;
    this.#missing = bytes;
    return false;
  }
}
