import { createHash } from 'node:crypto';
import { CopyRows } from '../db/copy-rows.ts';
import { copyPlainField, copyTextField, copyTextRow } from '../db/copy-text.ts';
import { importPartRow } from '../db/import-part-row.ts';
import type { RawLine } from '../formats/raw-line.ts';
import type { LineOutcome } from '../recipe/line-outcome.ts';

/** Everything that a stretch of lines has become: one import part. */
export interface BuiltPart {
  firstLine: number;
  lineCount: number;
  eventCount: number;
  suppressed: number;
  expired: number;
  filtered: number;
  quarantined: number;
  /** Of the earliest and the latest event, ms since 1970; null when there is none. */
  firstEventMs: number | null;
  lastEventMs: number | null;
  /** Rows to import, see db/import-part-row.ts. Empty when no line became an event. */
  body: readonly Buffer[];
  bodyBytes: number;
  /** Of the body, lower-case hex. */
  sha256: string;
  /** Rows of backfill_event_checkpoint_raw, one per accepted line, in COPY text format. */
  acceptedRows: readonly Buffer[];
  /** Rows of backfill_quarantine, in COPY text format. */
  quarantineRows: readonly Buffer[];
}

/**
 * Collects the outcomes of consecutive lines. Cut by lines and raw bytes, never by outcomes, so that a line always
 * falls into the same part, whatever has become of its neighbours.
 */
export class PartBuilder {
  readonly #batchId: string;
  readonly #sourceFile: string;
  readonly #firstLine: number;
  readonly #rows = new CopyRows();
  readonly #acceptedRows = new CopyRows();
  readonly #quarantineRows = new CopyRows();
  readonly #counts = { suppressed: 0, expired: 0, filtered: 0, quarantined: 0 };
  /** The columns between the event id and the line's number. */
  readonly #place: string;
  #firstEventMs = Number.POSITIVE_INFINITY;
  #lastEventMs = Number.NEGATIVE_INFINITY;
  #lineCount = 0;
  #rawBytes = 0;

  constructor(batchId: string, sourceFile: string, firstLine: number) {
    this.#batchId = batchId;
    this.#sourceFile = sourceFile;
    this.#firstLine = firstLine;
    this.#place = `\t${copyTextField(batchId)}\t${copyTextField(sourceFile)}\t`;
  }

  get lineCount(): number {
    return this.#lineCount;
  }

  get rawBytes(): number {
    return this.#rawBytes;
  }

  add(line: RawLine, result: LineOutcome): void {
    this.#lineCount += 1;
    this.#rawBytes += line.byteLength;
    if (result.outcome === 'accepted') {
      const { event } = result;
      this.#firstEventMs = Math.min(this.#firstEventMs, event.eventTsMs);
      this.#lastEventMs = Math.max(this.#lastEventMs, event.eventTsMs);
      this.#rows.add(importPartRow(event));
      this.#acceptedRows.add(`${copyPlainField(event.eventId)}${this.#place}${line.lineNo}\n`);
      return;
    }
    this.#counts[result.outcome] += 1;
    if (result.outcome === 'quarantined') {
      this.#quarantineRows.add(copyTextRow([this.#batchId, this.#sourceFile, String(line.lineNo), result.reason]));
    }
  }

  build(): BuiltPart {
    const body = this.#rows.blocks();
    const hash = createHash('sha256');
    for (const block of body) hash.update(block);
    return {
      firstLine: this.#firstLine,
      lineCount: this.#lineCount,
      eventCount: this.#rows.count,
      ...this.#counts,
      firstEventMs: this.#rows.count === 0 ? null : this.#firstEventMs,
      lastEventMs: this.#rows.count === 0 ? null : this.#lastEventMs,
      body,
      bodyBytes: body.reduce((sum, block) => sum + block.length, 0),
      sha256: hash.digest('hex'),
      acceptedRows: this.#acceptedRows.blocks(),
      quarantineRows: this.#quarantineRows.blocks(),
    };
  }

  /** Lets the next part have this one's memory. What was built must not be looked at any more. */
  release(): void {
    this.#rows.release();
    this.#acceptedRows.release();
    this.#quarantineRows.release();
  }
}
