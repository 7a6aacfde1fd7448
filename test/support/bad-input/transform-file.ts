import { isUtf8 } from 'node:buffer';
import { Readable } from 'node:stream';
import { isMappedColumn, mappedPaths } from '@backfill/core/config/mapped-paths';
import { FatalError } from '@backfill/core/errors';
import { compileRecipe, type LineTransformer } from '@backfill/core/recipe/compile-recipe';
import type { LineOutcome } from '@backfill/core/recipe/line-outcome';
import type { Recipe } from '@backfill/core/recipe/recipe';
import { TEST_KEYS } from '@backfill/core/recipe/recipe-fixture';
import type { ObjectStore } from '@backfill/core/storage/object-store';
import { cutParts } from '@backfill/core/transform/cut-parts';
import type { BuiltPart } from '@backfill/core/transform/part-builder';
import { readChunk } from '@backfill/core/transform/read-chunk';
import { type ScannedObject, scanObject } from '@backfill/core/transform/scan-object';

/** How a file is cut on its way; nothing that comes out may depend on it. */
export interface Cut {
  blockBytes: number;
  chunkBytes: number;
  partLines: number;
}

export interface TransformedLine {
  lineNo: number;
  byteLength: number;
  /** The line's bytes were kept, and are UTF-8. */
  isText: boolean;
  outcome: LineOutcome;
}

/** What a file became; or only why it was refused as a whole. */
export interface TransformedFile {
  refusal?: string;
  scanned?: ScannedObject;
  lines: TransformedLine[];
  parts: BuiltPart[];
}

function blocks(bytes: Buffer, size: number): Readable {
  const count = Math.ceil(bytes.length / size);
  // A producer may not reuse a block, but nobody promises that a block is alone in its memory.
  return Readable.from(
    Array.from({ length: count }, (_, index) => Buffer.from(bytes.subarray(index * size, (index + 1) * size))),
    { objectMode: false },
  );
}

/** What a chunk is read from, in blocks of a size that no real server would let a test choose. */
function storeOf(bytes: Buffer, blockBytes: number): ObjectStore {
  const get: ObjectStore['get'] = async (_bucket, _key, { range } = {}) =>
    blocks(range === undefined ? bytes : bytes.subarray(range.start, range.end), blockBytes);
  return { get } as ObjectStore;
}

/** A part whose rows outlast it: its own memory is the next part's. */
function keepRows(part: BuiltPart): BuiltPart {
  const copy = (blocks: readonly Buffer[]) => [Buffer.concat(blocks)];
  const { body, acceptedRows, quarantineRows } = part;
  return { ...part, body: copy(body), acceptedRows: copy(acceptedRows), quarantineRows: copy(quarantineRows) };
}

/** A file's way from stored bytes to import parts, as plan and transformer go it, for one recipe. */
export function createFileTransform(recipe: Recipe): (bytes: Buffer, cut: Cut) => Promise<TransformedFile> {
  const { format, csv = {} } = recipe.source;
  const schemas = Object.values(recipe.taxonomy).map(({ schema }) => schema);
  const paths = mappedPaths(recipe.source, schemas);
  const isMapped = (column: string) => isMappedColumn(paths, column);
  const { signal } = new AbortController();
  const compiled = new Map<string, LineTransformer>();
  const transformerOf = (file: ScannedObject) => {
    const key = JSON.stringify([file.format, file.header]);
    const known = compiled.get(key) ?? compileRecipe(recipe, { keys: TEST_KEYS, isSuppressed: () => false }, file);
    compiled.set(key, known);
    return known;
  };
  const transformScanned = async (bytes: Buffer, scanned: ScannedObject, cut: Cut): Promise<TransformedFile> => {
    const result: TransformedFile = { scanned, lines: [], parts: [] };
    const transform = transformerOf(scanned);
    for (const { byteStart, byteEnd, firstLine, lineCount } of scanned.ranges) {
      const range = { ...scanned, byte_start: byteStart, byte_end: byteEnd, first_line: firstLine };
      const options = { maxLineBytes: recipe.limits.maxLineBytes, signal };
      const lines = readChunk(storeOf(bytes, cut.blockBytes), { bucket: 'b', key: 'k' }, range, options);
      const noted: LineTransformer = (line) => {
        const outcome = transform(line);
        const { lineNo, byteLength, bytes: raw } = line;
        result.lines.push({ lineNo, byteLength, isText: raw !== undefined && isUtf8(raw), outcome });
        return outcome;
      };
      const chunk = { batch_id: 'b', source_file: 'f', first_line: firstLine, line_count: lineCount };
      const nextPart = async () => ({ isCanary: false, maxLines: cut.partLines });
      for await (const { part } of cutParts(lines, noted, chunk, { done: { parts: 0, lines: 0 }, nextPart })) {
        result.parts.push(keepRows(part));
      }
    }
    return result;
  };
  return async (bytes, cut) => {
    const { chunkBytes } = cut;
    try {
      const body = blocks(bytes, cut.blockBytes);
      const scanned = await scanObject('the file', body, { format, csv, isMapped, chunkBytes, signal });
      return await transformScanned(bytes, scanned, cut);
    } catch (error) {
      if (!(error instanceof FatalError)) throw error;
      return { refusal: error.message, lines: [], parts: [] };
    }
  };
}
