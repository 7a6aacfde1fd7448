import { createHash } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import type { TransformedEvent } from '@backfill/core/recipe/line-outcome';
import { type EventOrigin, eventLine } from '@backfill/core/transform/event-line';
import type { EventSink } from '@backfill/core/transform/transform-input';

/** Text that is written at once, in characters. */
const WRITE_CHARS = 1 << 20;

/** Events on their way into an NDJSON file, which appears whole or not at all. */
export class EventFile implements EventSink {
  readonly #file: string;
  readonly #partial: string;
  readonly #handle: FileHandle;
  readonly #sha256 = createHash('sha256');
  #lines: string[] = [];
  #chars = 0;

  private constructor(file: string, partial: string, handle: FileHandle) {
    this.#file = file;
    this.#partial = partial;
    this.#handle = handle;
  }

  /** Begins a file beside its final place, for the owner alone. */
  static async create(file: string): Promise<EventFile> {
    const partial = `${file}.${process.pid}.partial`;
    return new EventFile(file, partial, await open(partial, 'w', 0o600));
  }

  add(event: TransformedEvent, origin: EventOrigin): void {
    const line = eventLine(event, origin);
    this.#lines.push(line);
    this.#chars += line.length;
  }

  async flush(): Promise<void> {
    if (this.#chars >= WRITE_CHARS) await this.#write();
  }

  async #write(): Promise<void> {
    const block = Buffer.from(this.#lines.join(''));
    this.#lines = [];
    this.#chars = 0;
    this.#sha256.update(block);
    await this.#handle.appendFile(block);
  }

  /** Writes the rest and puts the file where it belongs. @returns its sha256, in hex. */
  async finish(): Promise<string> {
    await this.#write();
    await this.#handle.close();
    await rename(this.#partial, this.#file);
    return this.#sha256.digest('hex');
  }

  /** Takes away what was written. */
  async discard(): Promise<void> {
    await this.#handle.close();
    await rm(this.#partial, { force: true });
  }
}
