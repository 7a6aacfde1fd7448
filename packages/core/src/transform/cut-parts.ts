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
  /** Asked before each part, when those before it are registered. */
  nextPart(partNo: number): Promise<PartSize>;
}

/** How much goes into a part: lines and raw bytes decide, never what becomes of them. */
export interface PartSize {
  isCanary: boolean;
  maxLines: number;
}

/** A part, ready to be registered. */
export interface CutPart {
  partNo: number;
  isCanary: boolean;
  part: BuiltPart;
}

/** Raw bytes after which a part is cut, whatever its lines: bounds memory and the import's transaction. */
const PART_BYTES = 32 * 1024 * 1024;

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
  { done, nextPart }: CutOptions,
): AsyncGenerator<CutPart> {
  let partNo = done.parts;
  let nextLine = chunk.first_line + done.lines;
  let open: { size: PartSize; builder: PartBuilder } | undefined;
  const cut = ({ size, builder }: { size: PartSize; builder: PartBuilder }): CutPart => ({
    partNo,
    isCanary: size.isCanary,
    part: builder.build(),
  });
  const next = ({ builder }: { builder: PartBuilder }) => {
    builder.release();
    nextLine += builder.lineCount;
    partNo += 1;
    open = undefined;
  };
  for await (const batch of lines) {
    for (const line of batch) {
      if (line.lineNo < nextLine) continue;
      open ??= { size: await nextPart(partNo), builder: new PartBuilder(chunk.batch_id, chunk.source_file, nextLine) };
      const { size, builder } = open;
      builder.add(line, transform(line));
      if (builder.lineCount < size.maxLines && builder.rawBytes < PART_BYTES) continue;
      yield cut(open);
      next(open);
    }
  }
  if (open !== undefined) {
    yield cut(open);
    next(open);
  }
  const read = nextLine - chunk.first_line;
  if (read !== chunk.line_count) {
    throw new FatalError(
      `${chunk.source_file}: ${chunk.line_count} lines were planned from line ${chunk.first_line} on, and ${read} read`,
    );
  }
}
