import type { Framing } from './framing.ts';
import { isJsonWhitespace, JsonAutomaton } from './json-automaton.ts';

const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const QUOTE = 0x22;
const LF = 0x0a;

/** What Firehose takes for one record is 1,000 KiB; nothing behind a longer one is looked for within it. */
const RESYNC_BYTES = 1024 * 1024;
/** White space between the bracket and what shows that it opens an object, at most. */
const CONFIRM_WITHIN = 32;
/** From here on a bracket is believed at once: what is kept of the record would not reach its confirmation. */
const LAST_CANDIDATE = RESYNC_BYTES - 2 * CONFIRM_WITHIN;
/** Bytes that resync reads at most, as a multiple of the record: garbage full of braces must not make it slow. */
const RESYNC_EFFORT = 8;

/**
 * JSON values one after the other, with or without white space between them. White space behind a value belongs to it,
 * so that line ends make no records.
 *
 * A value that breaks off makes everything behind it look different: `{"a":"cut{"b":1}{"c":2}`. So a broken record goes
 * on to the next place that only a new record explains, an object right behind an object (`}{`, which no JSON has
 * outside of strings) or at the start of a line. What then stands at the end of the broken stretch and is a complete
 * object is the neighbour, and becomes a record of its own (`resync`). Objects within a broken one are not: their
 * closing brackets are still to come. What does not begin as object or array ends before the next object.
 */
export class JsonFraming implements Framing {
  readonly resyncBytes = RESYNC_BYTES;
  readonly #automaton = new JsonAutomaton();
  readonly #suffix = new JsonAutomaton();
  /** Within a broken value: what stood last, and where a new object may have begun, counted from the record's start. */
  #afterClose = false;
  #afterLineEnd = false;
  #candidate = -1;
  #isConfirmed = false;
  /** Bytes of the record in blocks before this one. */
  #before = 0;

  reset(): void {
    this.#automaton.reset();
    this.#afterClose = false;
    this.#afterLineEnd = false;
    this.#candidate = -1;
    this.#isConfirmed = false;
    this.#before = 0;
  }

  get isDamaged(): boolean {
    const { isFresh, isDone, isOutside } = this.#automaton;
    return !(isFresh || isDone || isOutside);
  }

  findEnd(bytes: Buffer, start: number): number {
    const offset = this.#before - start;
    let index = start;
    if (!this.#automaton.isBroken) {
      index = this.#automaton.run(bytes, start);
      if (this.#automaton.isDone && index < bytes.length) return index;
      this.#afterClose = this.#automaton.lastWasClose;
    }
    this.#before = bytes.length + offset;
    if (index === bytes.length) return -1;
    return this.#automaton.isOutside ? bytes.indexOf(OPEN_OBJECT, index) : this.#findObjectBehind(bytes, index, offset);
  }

  /** Where it is certain that an object begins which follows an object or a line end. */
  #findObjectBehind(bytes: Buffer, start: number, offset: number): number {
    for (let index = start; index < bytes.length; index++) {
      const byte = bytes[index] as number;
      const position = index + offset;
      if (this.#candidate >= 0 && this.#confirm(byte, position)) return index;
      if (byte === OPEN_OBJECT && (this.#afterClose || this.#afterLineEnd)) {
        if (position >= LAST_CANDIDATE) return index;
        this.#candidate = position;
      }
      if (byte === LF) this.#afterLineEnd = true;
      else {
        this.#afterLineEnd = false;
        if (!isJsonWhitespace(byte)) this.#afterClose = byte === CLOSE_OBJECT;
      }
    }
    return -1;
  }

  /** An object goes on with a name or ends. In a string, where `}{` may stand too, the quote would be escaped. */
  #confirm(byte: number, position: number): boolean {
    const isNear = position - this.#candidate <= CONFIRM_WITHIN;
    if (isJsonWhitespace(byte) && isNear) return false;
    this.#isConfirmed = isNear && (byte === QUOTE || byte === CLOSE_OBJECT);
    if (!this.#isConfirmed) this.#candidate = -1;
    return this.#isConfirmed;
  }

  resync(record: Buffer): number {
    const broken = this.#isConfirmed ? record.subarray(0, this.#candidate) : record;
    let effort = broken.length * RESYNC_EFFORT;
    let start = broken.indexOf(OPEN_OBJECT, 1);
    while (start >= 0 && effort > 0) {
      this.#suffix.reset();
      const end = this.#suffix.run(broken, start);
      if (end === broken.length && this.#suffix.isDone) return start;
      effort -= end - start + 1;
      start = broken.indexOf(OPEN_OBJECT, start + 1);
    }
    return broken.length;
  }

  trim(record: Buffer): Buffer {
    let end = record.length;
    while (end > 0 && isJsonWhitespace(record[end - 1] as number)) end--;
    return record.subarray(0, end);
  }
}
