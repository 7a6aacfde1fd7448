import { Readable } from 'node:stream';
import { FORMAT_NAMES, type FormatName } from '../domain/format-name.ts';
import { FatalError } from '../errors.ts';
import { type Compression, decompress, detectCompression, MAGIC_BYTES } from '../formats/compression.ts';
import { CorruptInputError } from '../formats/corrupt-input-error.ts';
import { createRecordScanner, detectFormat, sourceFormat } from '../formats/formats.ts';
import type { FileFormat, HeaderHints } from '../formats/source-format.ts';
import { hashedStream } from '../storage/hashed-stream.ts';
import { ChunkScanner, type LineRange } from './chunk-scanner.ts';
import { peek } from './peek.ts';

export interface ScannedObject extends FileFormat {
  sha256: string;
  /** Of the text, decompressed. */
  contentSha256: string;
  /** Bytes as stored. */
  size: number;
  compression: Compression;
  lines: number;
  /** Ranges of the stored bytes: several for plain text, one for a compressed object, none for an empty one. */
  ranges: LineRange[];
}

/** What a source says about its files. */
export interface FormatHints extends HeaderHints {
  /** Undefined: found in each file. */
  format: FormatName | undefined;
}

export interface ScanOptions extends FormatHints {
  chunkBytes: number;
  signal: AbortSignal;
}

/** Text that tells the format and holds the header. */
const HEAD_BYTES = 64 * 1024;

/**
 * Reads an object once, from beginning to end, in bounded memory: checksum, format, record count, chunk boundaries.
 *
 * @param name how errors name the object.
 * @throws {FatalError} when the object is compressed and cut or damaged, naming the last whole record; or when neither
 *   the source nor its content tells its format.
 */
export async function scanObject(name: string, body: Readable, options: ScanOptions): Promise<ScannedObject> {
  const stored = hashedStream(body, options.signal);
  try {
    const { head, whole } = await peek(stored.stream, MAGIC_BYTES);
    const compression = detectCompression(head);
    const text = decompress(Readable.from(whole, { objectMode: false }), compression);
    const content = compression === 'none' ? undefined : hashedStream(text, options.signal);
    const scanned = await scanText(name, content?.stream ?? text, compression, options);
    const size = stored.size();
    const sha256 = stored.sha256();
    const asOne = scanned.lines > 0 ? [{ byteStart: 0, byteEnd: size, firstLine: 1, lineCount: scanned.lines }] : [];
    const ranges = compression === 'none' ? scanned.ranges : asOne;
    return { ...scanned, sha256, contentSha256: content?.sha256() ?? sha256, size, compression, ranges };
  } finally {
    body.destroy();
  }
}

type ScannedText = FileFormat & { lines: number; ranges: LineRange[] };

async function scanText(
  name: string,
  source: Readable,
  compression: Compression,
  options: ScanOptions,
): Promise<ScannedText> {
  let scanner: ChunkScanner | undefined;
  try {
    const { head, whole } = await peek(source, HEAD_BYTES);
    const file = findFormat(name, head.toString('utf8', 0, HEAD_BYTES), options);
    scanner = createScanner(file, compression === 'none' ? options.chunkBytes : Number.POSITIVE_INFINITY);
    for await (const block of whole) scanner.feed(block);
    const { lines } = scanner.finish();
    return { ...file, lines, ranges: scanner.ranges };
  } catch (error) {
    if (!(error instanceof CorruptInputError)) throw error;
    throw new FatalError(
      `${name} cannot be read to its end: its ${compression} data is cut or damaged after line ${scanner?.lines ?? 0}. ` +
        'Upload it again whole, or take it away, then resume',
      { cause: error },
    );
  }
}

function findFormat(name: string, head: string, hints: FormatHints): FileFormat {
  const { format } = hints;
  const found = format === undefined ? detectFormat(head) : sourceFormat(format);
  if (found === undefined) {
    throw new FatalError(
      `${name} looks like none of ${FORMAT_NAMES.join(', ')}. Name its format in the source file (format: …), or take the ` +
        'object away, then resume',
    );
  }
  return { format: found.name, header: found.readHeader(head, hints) };
}

/** Lets the format amend the file's header while the records go by. */
function createScanner(file: FileFormat, chunkBytes: number): ChunkScanner {
  const { amendHeader } = sourceFormat(file.format);
  const records = createRecordScanner(file, { firstLine: 1, maxLineBytes: amendHeader === undefined ? 0 : HEAD_BYTES });
  return new ChunkScanner(records, chunkBytes, (line) => {
    if (amendHeader !== undefined) file.header = amendHeader(file.header, line);
  });
}
