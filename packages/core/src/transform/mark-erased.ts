import type { LineSpan } from '../db/queries/occurrences.ts';
import type { RawLine } from '../formats/raw-line.ts';

/** Lines that are looked up at once. */
const LOOKUP_LINES = 50_000;

/** Says of each line that was emptied that it was. Lines come in the order of their file. */
export async function* markErased(
  blocks: AsyncIterable<RawLine[]>,
  find: (lines: LineSpan) => Promise<ReadonlySet<number>>,
): AsyncGenerator<RawLine[]> {
  let found: ReadonlySet<number> = new Set();
  let lastLine = 0;
  for await (const lines of blocks) {
    for (const line of lines) {
      if (line.lineNo > lastLine) {
        lastLine = line.lineNo + LOOKUP_LINES - 1;
        found = await find({ firstLine: line.lineNo, lastLine });
      }
      if (found.has(line.lineNo)) line.isErased = true;
    }
    yield lines;
  }
}
