import { isMappedColumn, mappedPaths } from '../config/mapped-paths.ts';
import type { PlannedChunk, PlannedFile } from '../db/queries/plan-seal.ts';
import { FatalError } from '../errors.ts';
import { findPersonalNames } from '../recipe/detectors/personal-name.ts';
import type { Recipe } from '../recipe/recipe.ts';
import { isManifest } from '../storage/layout.ts';
import type { ObjectInfo, ObjectStore } from '../storage/object-store.ts';
import { type FormatHints, scanObject } from './scan-object.ts';

export interface PinnedInput {
  files: PlannedFile[];
  chunks: PlannedChunk[];
}

export interface PinOptions extends FormatHints {
  bucket: string;
  prefix: string;
  chunkBytes: number;
  /** Objects last modified before this are over the raw retention; null lets every age pass. */
  oldestAllowed: Date | null;
  signal: AbortSignal;
}

/** What a recipe says about its source's files. */
export function formatHints({ source, taxonomy, upcasts }: Recipe): FormatHints {
  const schemas = [...Object.values(taxonomy), ...Object.values(upcasts).flat()].map(({ schema }) => schema);
  const paths = mappedPaths(source, schemas);
  return { format: source.format, csv: source.csv ?? {}, isMapped: (column) => isMappedColumn(paths, column) };
}

async function listInput(store: ObjectStore, { bucket, prefix, oldestAllowed }: PinOptions): Promise<ObjectInfo[]> {
  const objects: ObjectInfo[] = [];
  for await (const object of store.list(bucket, prefix)) {
    // Consoles make empty objects that stand for folders.
    if (!object.key.endsWith('/') || object.size > 0) objects.push(object);
  }
  if (objects.length === 0) {
    throw new FatalError(`there is no object under s3://${bucket}/${prefix}: upload the raw logs there, then resume`);
  }
  objects.sort((a, b) => (a.key < b.key ? -1 : 1));
  // First of all: every other refusal names the object.
  checkNames(objects, bucket, prefix);
  for (const object of objects) checkObject(object, `s3://${bucket}/${object.key}`, prefix, oldestAllowed);
  return objects;
}

/** Names are stored beside every line, as they are, and stand in reports and logs: they must name nobody. */
function checkNames(objects: readonly ObjectInfo[], bucket: string, prefix: string): void {
  const found = findPersonalNames(objects.map(({ key }) => key.slice(prefix.length)));
  if (found === undefined) return;
  throw new FatalError(
    `the names of ${found.count} of the ${objects.length} objects under s3://${bucket}/${prefix} look like personal data; ` +
      `in the order of their keys: ${found.places}. ` +
      'Names are stored with every line: upload these objects under other names and take the old ones away, then resume',
  );
}

function checkObject(object: ObjectInfo, name: string, prefix: string, oldestAllowed: Date | null): void {
  if (isManifest(object.key.slice(prefix.length))) {
    throw new FatalError(`${name} has the name of the mirror's own manifests: move it out of the prefix, then resume`);
  }
  if (oldestAllowed !== null && object.lastModified < oldestAllowed) {
    throw new FatalError(
      `${name} is from ${object.lastModified.toISOString()}, past the retention of raw data. ` +
        'Submit the batch with a retention_exception {why, until} if it must be replayed',
    );
  }
}

/**
 * Reads every object below the prefix once and pins it: ETag, sha256, format, lines, chunk boundaries. Copies nothing.
 *
 * @throws {FatalError} when there is nothing to read, or an object has a name that shows personal data, is too old, damaged,
 *   of no known format, or changes while it is read.
 */
export async function pinInput(store: ObjectStore, options: PinOptions): Promise<PinnedInput> {
  const { bucket, prefix } = options;
  const files: PlannedFile[] = [];
  const chunks: PlannedChunk[] = [];
  for (const [fileNo, object] of (await listInput(store, options)).entries()) {
    const name = `s3://${bucket}/${object.key}`;
    const pinned = { ifMatch: object.etag, size: object.size, signal: options.signal };
    const body = await store.get(bucket, object.key, pinned);
    const scanned = await scanObject(name, body, options);
    if (scanned.size !== object.size) {
      throw new FatalError(
        `${name} is listed with ${object.size} bytes and gave ${scanned.size}: it was changed while it was read, ` +
          'or has something behind its compressed data',
      );
    }
    files.push({
      fileNo,
      sourceFile: object.key.slice(prefix.length),
      size: object.size,
      etag: object.etag,
      lastModified: object.lastModified,
      sha256: scanned.sha256,
      contentSha256: scanned.contentSha256,
      compression: scanned.compression,
      format: scanned.format,
      header: scanned.header,
      lineCount: scanned.lines,
      copy: null,
    });
    for (const range of scanned.ranges) chunks.push({ fileNo, ...range });
  }
  return { files, chunks };
}
