import type { KeyObject } from 'node:crypto';
import type { StorageConfig } from '../config/environment.ts';
import type { Client, Queryable } from '../db/pool.ts';
import type { Chunk } from '../db/queries/chunk-get.ts';
import type { PlannedChunk, PlannedFile } from '../db/queries/plan-seal.ts';
import { FatalError } from '../errors.ts';
import type { RawLine } from '../formats/raw-line.ts';
import type { Recipe } from '../recipe/recipe.ts';
import { parseS3Prefix } from '../storage/layout.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import type { PinnedInput } from './pin-input.ts';
import { readChunk } from './read-chunk.ts';

/** What a transform outside of the services works with. */
export interface TransformTools {
  /** A session of its own, which is made read-only. */
  db: Client;
  /** The database of the dedup store, which is only read; may be the same session. */
  keyDb: Queryable;
  store: ObjectStore;
  storage: StorageConfig;
  configDir: string;
  /** `analytics_salt` by key version. */
  keys: ReadonlyMap<number, KeyObject>;
  signal: AbortSignal;
}

/** A chunk as it is planned, in the ledger or not. */
export type WorkChunk = Omit<Chunk, 'state' | 'epoch'>;

/** Lines to transform, and the recipe for them. */
export interface TransformWork {
  recipe: Recipe;
  chunks: WorkChunk[];
  /** Reads a chunk's lines as a stream, with the numbers of their events where the recipe counts them. */
  readLines(chunk: WorkChunk): AsyncIterable<RawLine[]>;
}

/** Work on input that was just pinned and is not in the ledger. Its lines have no numbers yet. */
export function inputWork(
  { store, signal }: Pick<TransformTools, 'store' | 'signal'>,
  given: { batchId: string; recipe: Recipe; bucket: string; prefix: string; input: PinnedInput },
): TransformWork {
  const { recipe, bucket, prefix, input } = given;
  const fileOf = (fileNo: number): PlannedFile => {
    const file = input.files[fileNo];
    if (file === undefined) throw new FatalError(`s3://${bucket}/${prefix}: there is no file ${fileNo}`);
    return file;
  };
  const { maxLineBytes } = recipe.limits;
  return {
    recipe,
    chunks: input.chunks.map((chunk, index) => toWorkChunk(given.batchId, chunk, fileOf(chunk.fileNo), index)),
    readLines(chunk) {
      const object = { bucket, key: prefix + chunk.source_file, ifMatch: fileOf(chunk.file_no).etag };
      return readChunk(store, object, chunk, { maxLineBytes, signal });
    },
  };
}

function toWorkChunk(batchId: string, chunk: PlannedChunk, file: PlannedFile, chunkNo: number): WorkChunk {
  const { sourceFile, compression, format, header } = file;
  return {
    ...{ chunk_id: 0, batch_id: batchId, chunk_no: chunkNo, file_no: chunk.fileNo },
    ...{ source_file: sourceFile, compression, format, header },
    ...{ byte_start: chunk.byteStart, byte_end: chunk.byteEnd },
    ...{ first_line: chunk.firstLine, line_count: chunk.lineCount },
  };
}

/** @throws {FatalError} when the text is no address of that form. */
export function sourcePlace(input: string): { bucket: string; prefix: string } {
  const place = parseS3Prefix(input);
  if (place === undefined) throw new FatalError(`${input} is not of the form s3://bucket/prefix/`);
  return place;
}
