const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const LF = 0x0a;

/** Deeper values count as broken; no event nests like that. */
const MAX_DEPTH = 1_024;

/** What the automaton waits for. */
const START = 0;
const VALUE = 1;
const FIRST_ITEM = 2;
const FIRST_KEY = 3;
const KEY = 4;
const COLON = 5;
const NEXT = 6;
const IN_STRING = 7;
const IN_ESCAPE = 8;
const IN_SCALAR = 9;
const DONE = 10;
const BROKEN = 11;

/** The kinds of bytes: 0 for what may not stand outside of strings. */
const WHITESPACE = 1;
const SCALAR = 2;
const KIND = new Uint8Array(256);
for (const byte of Buffer.from(' \t\r\n')) KIND[byte] = WHITESPACE;
for (const byte of Buffer.from('+-.0123456789_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'))
  KIND[byte] = SCALAR;

/** Whether a byte is JSON's white space. */
export function isJsonWhitespace(byte: number): boolean {
  return KIND[byte] === WHITESPACE;
}

/** Files that were joined carry the marks of each. */
function isOfByteOrderMark(byte: number): boolean {
  return byte === 0xef || byte === 0xbb || byte === 0xbf;
}

/**
 * Follows one JSON object or array, byte by byte, and knows its strings, its depth and where it stops being JSON. It is
 * loose about scalars (`NaN` passes), because only the structure decides where a value ends. A line feed within a
 * string breaks it, as JSON forbids it.
 */
export class JsonAutomaton {
  #state = START;
  #isKey = false;
  #depth = 0;
  /** 1 for an object, 0 for an array, per level. */
  readonly #stack = new Uint8Array(MAX_DEPTH);
  #lastWasClose = false;

  reset(): void {
    this.#state = START;
    this.#depth = 0;
  }

  get isFresh(): boolean {
    return this.#state === START;
  }

  /** The value is complete, and only white space followed. */
  get isDone(): boolean {
    return this.#state === DONE;
  }

  get isBroken(): boolean {
    return this.#state === BROKEN;
  }

  /** Nothing is open: before a value, behind it, or where something else stands that is none. */
  get isOutside(): boolean {
    return this.#depth === 0;
  }

  /** The last byte that belonged to the structure closed an object or array. */
  get lastWasClose(): boolean {
    return this.#lastWasClose;
  }

  /**
   * Reads on from `start`.
   *
   * @returns the index of the byte that it could not take: behind a complete value the first that is not white space
   *   (`isDone`), else the one that broke it (`isBroken`). The length of `bytes` when it took all of them
   */
  run(bytes: Buffer, start: number): number {
    for (let index = start; index < bytes.length; index++) {
      if (this.#state === IN_STRING || this.#state === IN_SCALAR) {
        index = this.#state === IN_STRING ? endOfText(bytes, index) : endOfScalar(bytes, index);
        if (index === bytes.length) return index;
      }
      if (!this.#take(bytes[index] as number)) return index;
    }
    return bytes.length;
  }

  #take(byte: number): boolean {
    switch (this.#state) {
      case IN_STRING:
        if (byte === QUOTE) return this.#to(this.#isKey ? COLON : NEXT);
        return byte === BACKSLASH ? this.#to(IN_ESCAPE) : this.#break();
      case IN_ESCAPE:
        return byte === LF ? this.#break() : this.#to(IN_STRING);
      case IN_SCALAR:
        this.#state = NEXT;
        return KIND[byte] === WHITESPACE || this.#takeStructure(byte);
      case DONE:
        return KIND[byte] === WHITESPACE;
      case START:
        return KIND[byte] === WHITESPACE || isOfByteOrderMark(byte) || this.#takeStructure(byte);
      default:
        return KIND[byte] === WHITESPACE || this.#takeStructure(byte);
    }
  }

  /** A byte outside of strings and scalars that is not white space. */
  #takeStructure(byte: number): boolean {
    const wasClose = this.#lastWasClose;
    this.#lastWasClose = false;
    switch (this.#state) {
      case NEXT:
        if (byte === 0x2c) return this.#to(this.#stack[this.#depth - 1] === 1 ? KEY : VALUE);
        if (this.#close(byte)) return true;
        this.#lastWasClose = wasClose;
        return this.#break();
      case COLON:
        return byte === 0x3a ? this.#to(VALUE) : this.#break();
      case FIRST_KEY:
        if (byte === CLOSE_OBJECT) return this.#close(byte);
        return this.#openString(byte, true);
      case KEY:
        return this.#openString(byte, true);
      case FIRST_ITEM:
        if (byte === CLOSE_ARRAY) return this.#close(byte);
        return this.#openValue(byte);
      default:
        return this.#openValue(byte);
    }
  }

  #openValue(byte: number): boolean {
    if (byte === OPEN_OBJECT) return this.#open(1, FIRST_KEY);
    if (byte === OPEN_ARRAY) return this.#open(0, FIRST_ITEM);
    if (this.#state === START) return this.#break();
    if (KIND[byte] === SCALAR) return this.#to(IN_SCALAR);
    return this.#openString(byte, false);
  }

  #openString(byte: number, isKey: boolean): boolean {
    if (byte !== QUOTE) return this.#break();
    this.#isKey = isKey;
    return this.#to(IN_STRING);
  }

  #open(kind: 0 | 1, state: number): boolean {
    if (this.#depth === MAX_DEPTH) return this.#break();
    this.#stack[this.#depth++] = kind;
    return this.#to(state);
  }

  #close(byte: number): boolean {
    if (byte !== (this.#stack[this.#depth - 1] === 1 ? CLOSE_OBJECT : CLOSE_ARRAY)) return false;
    this.#depth -= 1;
    this.#lastWasClose = true;
    return this.#to(this.#depth === 0 ? DONE : NEXT);
  }

  #to(state: number): true {
    this.#state = state;
    return true;
  }

  #break(): false {
    this.#state = BROKEN;
    return false;
  }
}

/** The next byte that is not plain text of a string. */
function endOfText(bytes: Buffer, start: number): number {
  let index = start;
  while (index < bytes.length) {
    const byte = bytes[index];
    if (byte === QUOTE || byte === BACKSLASH || byte === LF) break;
    index++;
  }
  return index;
}

/** The next byte that is not of a number or a word. */
function endOfScalar(bytes: Buffer, start: number): number {
  let index = start;
  while (index < bytes.length && KIND[bytes[index] as number] === SCALAR) index++;
  return index;
}
