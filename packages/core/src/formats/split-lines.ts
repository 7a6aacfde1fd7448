import { createLineFraming } from './line-framing.ts';
import type { RawLine } from './raw-line.ts';
import { readRecords } from './read-records.ts';
import { RecordScanner } from './record-scanner.ts';

/**
 * Cuts a byte stream into lines at LF; a CR before the LF belongs to the terminator. One batch per input block that ends
 * any. The last line counts without an LF too.
 *
 * @param options.firstLine number of the first line
 * @param options.maxLineBytes longest line that is kept, in bytes
 */
export function splitLines(
  source: AsyncIterable<Uint8Array>,
  options: { firstLine: number; maxLineBytes: number },
): AsyncGenerator<RawLine[]> {
  return readRecords(source, new RecordScanner(createLineFraming(), options));
}
