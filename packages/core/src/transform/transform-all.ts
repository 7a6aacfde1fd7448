import { FatalError } from '../errors.ts';
import type { RawLine } from '../formats/raw-line.ts';
import type { LineTransformer } from '../recipe/compile-recipe.ts';
import type { LineOutcome } from '../recipe/line-outcome.ts';
import type { TransformWork, WorkChunk } from './transform-work.ts';

/** Takes the outcomes of lines, in the order of files and lines. */
export interface OutcomeSink {
  add(chunk: WorkChunk, line: RawLine, outcome: LineOutcome): void;
  /** Called between blocks of lines: what `add` has collected goes on from here. */
  flush(): Promise<void>;
}

/** Compiles a work's recipe for a file at a time, and keeps the last one: chunks come file by file. */
export function perFile(compile: (chunk: WorkChunk) => LineTransformer): (chunk: WorkChunk) => LineTransformer {
  let last: { fileNo: number; transform: LineTransformer } | undefined;
  return (chunk) => {
    if (last?.fileNo !== chunk.file_no) last = { fileNo: chunk.file_no, transform: compile(chunk) };
    return last.transform;
  };
}

/**
 * Transforms every line of the work as a stream: memory does not grow with the input.
 *
 * @throws {FatalError} when a chunk has other lines than were planned.
 */
export async function transformAll(
  work: TransformWork,
  transformerOf: (chunk: WorkChunk) => LineTransformer,
  sink: OutcomeSink,
  signal: AbortSignal,
): Promise<void> {
  for (const chunk of work.chunks) {
    const transform = transformerOf(chunk);
    let read = 0;
    for await (const lines of work.readLines(chunk)) {
      for (const line of lines) sink.add(chunk, line, transform(line));
      read += lines.length;
      signal.throwIfAborted();
      await sink.flush();
    }
    checkLineCount(chunk, read);
  }
}

/** @throws {FatalError} when a chunk has other lines than were planned. */
export function checkLineCount(chunk: WorkChunk, read: number): void {
  if (read === chunk.line_count) return;
  const planned = `${chunk.line_count} lines were planned from line ${chunk.first_line} on`;
  throw new FatalError(`${chunk.source_file}: ${planned}, and ${read} read`);
}
