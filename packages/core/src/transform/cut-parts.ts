import type { Chunk } from '../db/queries/chunk-get.ts';
import { FatalError } from '../errors.ts';
import type { RawLine } from '../formats/raw-line.ts';
import type { LineTransformer } from '../recipe/compile-recipe.ts';
import { type BuiltPart, PartBuilder } from './part-builder.ts';

/** The chunk that the lines belong to. */
export type ChunkLines = Pick<Chunk, 'batch_id' | 'source_file' | 'first_line' | 'line_count'>;

export interface CutOptions {
  /** Parts that are there already, and the lines they cover: those lines are only counted past. */
  done: { parts: number; lines: number };
  /** Decides after each line, from lines and raw bytes alone, whether the part ends here. */
  isFull(part: { partNo: number; lineCount: number; rawBytes: number }): boolean;
}

/**
 * Turns a chunk's lines into import parts, one after the other. Memory holds one part: its rows are good until the next
 * one is asked for.
 *
 * @throws {FatalError} when the lines are not as many as were planned.
 */
export async function* cutParts(
  lines: AsyncIterable<readonly RawLine[]>,
  transform: LineTransformer,
  chunk: ChunkLines,
  { done, isFull }: CutOptions,
): AsyncGenerator<{ partNo: number; part: BuiltPart }> {
  let partNo = done.parts;
  let nextLine = chunk.first_line + done.lines;
  let builder = new PartBuilder(chunk.batch_id, chunk.source_file, nextLine);
  const next = () => {
    builder.release();
    nextLine += builder.lineCount;
    partNo += 1;
    builder = new PartBuilder(chunk.batch_id, chunk.source_file, nextLine);
  };
  for await (const batch of lines) {
    for (const line of batch) {
      if (line.lineNo < nextLine) continue;
      builder.add(line, transform(line));
      if (!isFull({ partNo, lineCount: builder.lineCount, rawBytes: builder.rawBytes })) continue;
      yield { partNo, part: builder.build() };
      next();
    }
  }
  if (builder.lineCount > 0) {
    yield { partNo, part: builder.build() };
    next();
  }
  const read = nextLine - chunk.first_line;
  if (read !== chunk.line_count) {
    throw new FatalError(
      `${chunk.source_file}: ${chunk.line_count} lines were planned from line ${chunk.first_line} on, and ${read} read`,
    );
  }
}
