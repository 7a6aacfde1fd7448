import type { RawLine } from './raw-line.ts';
import type { RecordScanner } from './record-scanner.ts';

/** The records of a byte stream, one batch per input block that ends any. */
export async function* readRecords(
  source: AsyncIterable<Uint8Array>,
  scanner: RecordScanner,
): AsyncGenerator<RawLine[]> {
  for await (const block of source) {
    const lines = scanner.feed(Buffer.from(block.buffer, block.byteOffset, block.byteLength));
    if (lines.length > 0) yield lines;
  }
  const last = scanner.finish();
  if (last.length > 0) yield last;
}
