import { createHash } from 'node:crypto';

/** Characters that are hashed at once: a call for each short text costs more than its hash. */
const BATCH_CHARACTERS = 16 * 1024;

/** sha256 over many short texts, one after the other, as UTF-8. */
export class TextHash {
  readonly #hash = createHash('sha256');
  #text = '';

  add(text: string): void {
    this.#text += text;
    if (this.#text.length < BATCH_CHARACTERS) return;
    this.#hash.update(this.#text);
    this.#text = '';
  }

  /** The hash of what there was so far, lower-case hex. */
  soFar(): string {
    return this.#hash.copy().update(this.#text).digest('hex');
  }

  /** Ends the hash, lower-case hex. */
  hex(): string {
    return this.#hash.update(this.#text).digest('hex');
  }
}
