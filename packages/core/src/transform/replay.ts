import { listJudgedLines } from '../db/queries/judged-line-list.ts';
import { type LedgerPart, listPartsOfChunk } from '../db/queries/part-list.ts';
import { forbidWrites } from '../db/queries/session-forbid-writes.ts';
import { listSuppressedSubjects } from '../db/queries/suppression-list.ts';
import { FatalError } from '../errors.ts';
import type { RawLine } from '../formats/raw-line.ts';
import type { LineTransformer } from '../recipe/compile-recipe.ts';
import { compilePinnedRecipe } from './compile-pinned-recipe.ts';
import { loadBatch } from './load-batch.ts';
import { PartBuilder } from './part-builder.ts';
import { type PartDifference, partDifferences } from './part-differences.ts';
import { checkLineCount, perFile } from './transform-all.ts';
import type { EventSink } from './transform-input.ts';
import type { TransformTools, TransformWork, WorkChunk } from './transform-work.ts';

/** How a replay compares with the first run. */
export interface Replay {
  batch_id: string;
  lines: number;
  /** Events written out. */
  events: number;
  parts: number;
  parts_identical: number;
  differences: PartDifference[];
  /** Lines that the first run has not come to. */
  lines_beyond_ledger: number;
  /** Persons whose events are left out of the output because they were suppressed since. */
  suppressed_since: { subject_id: string; events: number }[];
  /** Lines that were suppressed then and would not be now. They stay out. */
  suppression_lifted: number;
}

/**
 * Plays a batch again from its mirror, part by part of the ledger. A line's person counts as suppressed if the line was
 * then, so that the parts can be held against the ledger whoever was suppressed since; the events of those that are
 * suppressed now are left out of the output and counted.
 */
class Replayer {
  readonly #tools: TransformTools;
  readonly #sink: EventSink;
  readonly #suppressedNow: ReadonlySet<string>;
  readonly #transformerOf: (chunk: WorkChunk) => LineTransformer;
  readonly #source: string;
  readonly #suppressedSince = new Map<string, number>();
  readonly #replay: Omit<Replay, 'suppressed_since'>;
  /** The line at hand, and the lines of its part that the first run let pass the check of suppressions. */
  #lineNo = 0;
  #passedThen: ReadonlySet<number> | undefined;

  constructor(tools: TransformTools, work: TransformWork, batchId: string, now: ReadonlySet<string>, sink: EventSink) {
    this.#tools = tools;
    this.#sink = sink;
    this.#suppressedNow = now;
    this.#source = work.recipe.source.source;
    const runtime = { keys: tools.keys, isSuppressed: (subjectId: string) => this.#wasSuppressed(subjectId) };
    this.#transformerOf = perFile((chunk) => compilePinnedRecipe(work.recipe, runtime, chunk));
    this.#replay = {
      ...{ batch_id: batchId, lines: 0, events: 0, parts: 0, parts_identical: 0, differences: [] },
      ...{ lines_beyond_ledger: 0, suppression_lifted: 0 },
    };
  }

  #wasSuppressed(subjectId: string): boolean {
    const isNow = this.#suppressedNow.has(subjectId);
    if (this.#passedThen === undefined) return isNow;
    const wasThen = !this.#passedThen.has(this.#lineNo);
    if (wasThen && !isNow) this.#replay.suppression_lifted += 1;
    return wasThen;
  }

  async replayChunk(work: TransformWork, chunk: WorkChunk): Promise<void> {
    const parts = await listPartsOfChunk(this.#tools.db, chunk.chunk_id);
    let part = await this.#beginPart(chunk, parts[0]);
    let partNo = 0;
    let read = 0;
    for await (const lines of work.readLines(chunk)) {
      for (const line of lines) {
        this.#replayLine(chunk, line, part?.builder);
        if (part === undefined || part.builder.lineCount < part.ledger.line_count) continue;
        this.#endPart(chunk, part);
        partNo += 1;
        part = await this.#beginPart(chunk, parts[partNo]);
      }
      read += lines.length;
      this.#tools.signal.throwIfAborted();
      await this.#sink.flush();
    }
    checkLineCount(chunk, read);
  }

  async #beginPart(chunk: WorkChunk, ledger: LedgerPart | undefined) {
    this.#passedThen = undefined;
    if (ledger === undefined) return undefined;
    const { batch_id: batchId, source_file: sourceFile } = chunk;
    const { first_line: firstLine, line_count: lineCount } = ledger;
    const passed = await listJudgedLines(this.#tools.db, { batchId, sourceFile, firstLine, lineCount });
    this.#passedThen = new Set(passed);
    return { ledger, builder: new PartBuilder(batchId, sourceFile, firstLine) };
  }

  #replayLine(chunk: WorkChunk, line: RawLine, builder: PartBuilder | undefined): void {
    this.#lineNo = line.lineNo;
    this.#replay.lines += 1;
    if (builder === undefined) this.#replay.lines_beyond_ledger += 1;
    const result = this.#transformerOf(chunk)(line);
    builder?.add(line, result);
    if (result.outcome !== 'accepted') return;
    const { subjectId } = result.event;
    if (subjectId !== null && this.#suppressedNow.has(subjectId)) {
      this.#suppressedSince.set(subjectId, (this.#suppressedSince.get(subjectId) ?? 0) + 1);
      return;
    }
    this.#replay.events += 1;
    this.#sink.add(result.event, { source: this.#source, sourceFile: chunk.source_file, lineNo: line.lineNo });
  }

  #endPart(chunk: WorkChunk, { ledger, builder }: { ledger: LedgerPart; builder: PartBuilder }): void {
    const differences = partDifferences(chunk.source_file, ledger, builder.build());
    builder.release();
    this.#replay.parts += 1;
    if (differences.length === 0) this.#replay.parts_identical += 1;
    this.#replay.differences.push(...differences);
  }

  result(): Replay {
    const since = [...this.#suppressedSince].map(([subject_id, events]) => ({ subject_id, events }));
    return { ...this.#replay, suppressed_since: since.sort((a, b) => (a.subject_id < b.subject_id ? -1 : 1)) };
  }
}

/**
 * Transforms a batch again, from its mirror and under its pinned recipe, and holds every part against the ledger.
 * Stores nothing.
 *
 * @throws {FatalError} when there is no such batch, or it has no mirror.
 */
export async function replayBatch(tools: TransformTools, batchId: string, sink: EventSink): Promise<Replay> {
  await forbidWrites(tools.db);
  const { batch, isMirrored, work } = await loadBatch(tools, batchId);
  if (work === undefined || !isMirrored) {
    throw new FatalError(
      `batch ${batchId} is ${batch.status} and has no mirror to replay from; --dry-run reads the input instead`,
    );
  }
  const suppressed = new Set(await listSuppressedSubjects(tools.db));
  const replayer = new Replayer(tools, work, batchId, suppressed, sink);
  for (const chunk of work.chunks) await replayer.replayChunk(work, chunk);
  return replayer.result();
}
