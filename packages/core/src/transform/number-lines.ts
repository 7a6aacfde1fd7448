import type { LineSpan, Occurrences } from '../db/queries/occurrences.ts';
import type { RawLine } from '../formats/raw-line.ts';

/** Lines whose numbers are looked up at once: bounds memory where every line is a repeat. */
const LOOKUP_LINES = 50_000;

/** Puts the number of its event on each line that is not the first of its kind. Lines come in the order of their file. */
export async function* numberLines(
  blocks: AsyncIterable<RawLine[]>,
  find: (lines: LineSpan) => Promise<Occurrences>,
): AsyncGenerator<RawLine[]> {
  let found: Occurrences = new Map();
  let lastLine = 0;
  for await (const lines of blocks) {
    for (const line of lines) {
      if (line.lineNo > lastLine) {
        lastLine = line.lineNo + LOOKUP_LINES - 1;
        found = await find({ firstLine: line.lineNo, lastLine });
      }
      const occurrence = found.get(line.lineNo);
      if (occurrence !== undefined) line.occurrence = occurrence;
    }
    yield lines;
  }
}
