/** The lines of a file that one import part became of: [first_line, first_line + line_count). */
export interface PartLines {
  part_id: number;
  first_line: number;
  line_count: number;
}

/**
 * Tells which part a line is of, for lines in their order.
 *
 * @param parts of one file, by their first lines
 * @returns undefined for a line that no part has
 */
export function createPartWalk(parts: readonly PartLines[]): (lineNo: number) => number | undefined {
  let at = 0;
  return (lineNo) => {
    let part = parts[at];
    while (part !== undefined && lineNo >= part.first_line + part.line_count) {
      at += 1;
      part = parts[at];
    }
    return part !== undefined && lineNo >= part.first_line ? part.part_id : undefined;
  };
}
