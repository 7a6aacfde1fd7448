import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FormatName } from '@backfill/core/domain/format-name';
import type { JsonObject } from '@backfill/core/domain/json';
import { sampleRecords } from '@backfill/core/draft/sample-records';
import { decompress, detectCompression, MAGIC_BYTES } from '@backfill/core/formats/compression';
import { CorruptInputError } from '@backfill/core/formats/corrupt-input-error';
import { type LocalFile, listLocalFiles } from './local-files.ts';

/** Records from the beginnings of some files of a folder, all of one format. */
export interface FolderSample {
  format: FormatName;
  records: JsonObject[];
  unreadable: number;
  files: number;
  /** Files that are of another format, or of none, or damaged. */
  others: string[];
}

const MAX_FILES = 20;
const MAX_BYTES = 1024 * 1024;
const MAX_RECORDS = 500;

/**
 * Looks into a folder of raw files: the beginnings of up to 20, spread over it in name order.
 *
 * @returns undefined when no file is of a known format
 */
export async function sampleFolder(folder: string): Promise<FolderSample | undefined> {
  const sample: FolderSample = { format: 'ndjson', records: [], unreadable: 0, files: 0, others: [] };
  for (const { file, key } of spread(await listLocalFiles(folder), MAX_FILES)) {
    const head = await readHead(file);
    const found = head === undefined ? undefined : sampleRecords(head.bytes, head.isWhole, MAX_RECORDS);
    const isFirst = sample.files === 0;
    if (found === undefined || found.records.length === 0 || (!isFirst && found.format !== sample.format)) {
      sample.others.push(key);
      continue;
    }
    sample.format = found.format;
    sample.records.push(...found.records);
    sample.unreadable += found.unreadable;
    sample.files++;
  }
  return sample.files === 0 ? undefined : sample;
}

function spread(files: readonly LocalFile[], count: number): LocalFile[] {
  if (files.length <= count) return [...files];
  const step = (files.length - 1) / (count - 1);
  return Array.from({ length: count }, (_, index) => files[Math.round(index * step)] as LocalFile);
}

/** The first bytes of a file, decompressed; undefined if it is damaged there. */
async function readHead(file: string): Promise<{ bytes: Buffer; isWhole: boolean } | undefined> {
  const blocks: Buffer[] = [];
  let size = 0;
  try {
    const stream = decompress(createReadStream(file), detectCompression(await readMagic(file)));
    for await (const block of stream as AsyncIterable<Buffer>) {
      blocks.push(block);
      size += block.length;
      if (size >= MAX_BYTES) break;
    }
  } catch (error) {
    if (error instanceof CorruptInputError) return undefined;
    throw error;
  }
  return { bytes: Buffer.concat(blocks), isWhole: size < MAX_BYTES };
}

async function readMagic(file: string): Promise<Buffer> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(MAGIC_BYTES), 0, MAGIC_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
