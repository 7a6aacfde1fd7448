import type { DuplicateKind } from '@backfill/core/domain/duplicate-kind';

const LINE_FEED = 0x0a;
/** Values of is_duplicate and duplicate_kind, and the row's end. A line feed inside a value is escaped in COPY text. */
const NEW = Buffer.from('\tf\t\\N\n');
const END: Readonly<Record<DuplicateKind, Buffer>> = {
  same_batch: Buffer.from('\tt\tsame_batch\n'),
  other_batch: Buffer.from('\tt\tother_batch\n'),
  live: Buffer.from('\tt\tlive\n'),
};
const LONGEST_END = Math.max(...Object.values(END).map(({ length }) => length));

/**
 * Adds to each row of COPY text what it is: new, or a duplicate of some kind.
 *
 * @param kinds row (from 0) → kind; a row that is not in it is new
 */
export async function* markRows(
  blocks: AsyncIterable<Buffer>,
  kinds: ReadonlyMap<number, DuplicateKind>,
): AsyncGenerator<Buffer> {
  let row = 0;
  for await (const block of blocks) {
    let lines = 0;
    for (let at = block.indexOf(LINE_FEED); at >= 0; at = block.indexOf(LINE_FEED, at + 1)) lines += 1;
    const marked = Buffer.allocUnsafe(block.length + lines * LONGEST_END);
    let length = 0;
    let start = 0;
    for (let at = block.indexOf(LINE_FEED); at >= 0; at = block.indexOf(LINE_FEED, start)) {
      length += block.copy(marked, length, start, at);
      const kind = kinds.get(row);
      length += (kind === undefined ? NEW : END[kind]).copy(marked, length);
      row += 1;
      start = at + 1;
    }
    length += block.copy(marked, length, start);
    yield marked.subarray(0, length);
  }
}
