export interface TableColumn {
  /** Left empty, the column has no heading. */
  heading: string;
  /** Numbers stand to the right. */
  align: 'left' | 'right';
}

const GAP = '  ';

/**
 * A table as lines of plain text, columns two spaces apart, without trailing spaces.
 * The heading is left out when no column has one.
 *
 * @param rows as many cells each as there are columns
 */
export function formatTable(columns: readonly TableColumn[], rows: readonly string[][]): string[] {
  const headings = columns.map((column) => column.heading);
  const all = headings.every((heading) => heading === '') ? rows : [headings, ...rows];
  const widths = columns.map((_, index) => Math.max(...all.map((row) => (row[index] ?? '').length)));
  return all.map((row) =>
    columns
      .map(({ align }, index) => pad(row[index] ?? '', widths[index] ?? 0, align))
      .join(GAP)
      .trimEnd(),
  );
}

function pad(cell: string, width: number, align: TableColumn['align']): string {
  return align === 'left' ? cell.padEnd(width) : cell.padStart(width);
}
