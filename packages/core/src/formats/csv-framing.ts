import type { Framing } from './framing.ts';
import { trimLineEnd } from './line-framing.ts';

const LF = 0x0a;
const CR = 0x0d;
const QUOTE = 0x22;

/** A quoted field that reaches beyond this many bytes of its record counts as never closed. */
const RESYNC_BYTES = 1024 * 1024;

const FIELD_START = 0;
const UNQUOTED = 1;
const QUOTED = 2;
const AFTER_QUOTE = 3;
/** The record ends with the line, whatever its quotes say. */
const REST_OF_LINE = 4;

/**
 * CSV records (RFC 4180): LF ends one unless it stands in quotes, `""` is a quote within quotes, and a quote opens only
 * at the start of a field.
 *
 * A quote that is never closed would swallow the rest of the file. It shows when behind the closing quote stands
 * something else than a delimiter or an end, when the field grows beyond {@link RESYNC_BYTES}, or when the file ends:
 * then the record ends with the line on which the field began.
 */
export class CsvFraming implements Framing {
  /** An escaped quote may stand across the limit. */
  readonly resyncBytes = RESYNC_BYTES + 2;
  readonly #delimiter: number;
  #state = FIELD_START;
  #isBroken = false;
  /** Bytes of the record in blocks before this one. */
  #before = 0;
  /** Where the quoted field began, and whether a line has ended in it; counted from the record's start. */
  #quoteAt = 0;
  #hasLineEnd = false;

  /** @param delimiter one ASCII character */
  constructor(delimiter: string) {
    this.#delimiter = delimiter.charCodeAt(0);
  }

  reset(): void {
    this.#state = FIELD_START;
    this.#isBroken = false;
    this.#before = 0;
    this.#hasLineEnd = false;
  }

  get isDamaged(): boolean {
    return this.#isBroken || this.#state === QUOTED;
  }

  findEnd(bytes: Buffer, start: number): number {
    const offset = this.#before - start;
    let index = start;
    while (index < bytes.length) {
      if (this.#state === QUOTED) {
        index = this.#skipQuoted(bytes, index, offset);
        if (this.#isBroken) return index;
      } else {
        const byte = bytes[index] as number;
        if (byte === LF) return index + 1;
        if (this.#state === AFTER_QUOTE && this.#breaksAfterQuote(byte)) return index;
        this.#step(byte, index + offset);
        index++;
        if (this.#state === UNQUOTED || this.#state === REST_OF_LINE) index = this.#skipPlain(bytes, index);
      }
    }
    this.#before = bytes.length + offset;
    return -1;
  }

  /** A quote was no end of a field: if lines ended in it, the field was not meant to be that long. */
  #breaksAfterQuote(byte: number): boolean {
    const isEnd = byte === QUOTE || byte === CR || byte === this.#delimiter;
    this.#isBroken = !isEnd && this.#hasLineEnd;
    return this.#isBroken;
  }

  #step(byte: number, position: number): void {
    if (this.#state === REST_OF_LINE) return;
    if (byte === this.#delimiter) this.#state = FIELD_START;
    else if (byte === QUOTE && this.#state === AFTER_QUOTE) this.#state = QUOTED;
    else if (byte === QUOTE && this.#state === FIELD_START) {
      this.#state = position < RESYNC_BYTES ? QUOTED : REST_OF_LINE;
      this.#quoteAt = position;
      this.#hasLineEnd = false;
    } else this.#state = UNQUOTED;
  }

  /** To the next delimiter or line end. */
  #skipPlain(bytes: Buffer, start: number): number {
    const lineEnd = bytes.indexOf(LF, start);
    const end = lineEnd < 0 ? bytes.length : lineEnd;
    if (this.#state === REST_OF_LINE) return end;
    for (let index = start; index < end; index++) if (bytes[index] === this.#delimiter) return index;
    return end;
  }

  /** To behind the next quote, the end of the block, or the place where the field has become too long. */
  #skipQuoted(bytes: Buffer, start: number, offset: number): number {
    const limit = Math.max(start, Math.min(bytes.length, RESYNC_BYTES - offset));
    const quote = bytes.subarray(0, limit).indexOf(QUOTE, start);
    const end = quote < 0 ? limit : quote;
    if (!this.#hasLineEnd) this.#hasLineEnd = bytes.subarray(0, end).indexOf(LF, start) >= 0;
    if (quote >= 0) {
      this.#state = AFTER_QUOTE;
      return quote + 1;
    }
    if (end + offset >= RESYNC_BYTES) {
      if (this.#hasLineEnd) this.#isBroken = true;
      else this.#state = REST_OF_LINE;
    }
    return end;
  }

  /** The end of the line on which the quoted field began. */
  resync(record: Buffer): number {
    return record.indexOf(LF, this.#quoteAt) + 1 || record.length;
  }

  trim(record: Buffer): Buffer {
    return trimLineEnd(record);
  }
}
