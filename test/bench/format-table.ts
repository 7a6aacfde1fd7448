import type { BenchTable } from './bench.ts';

function cell(value: string | number): string {
  if (typeof value === 'string' || Number.isInteger(value)) return String(value);
  return value.toFixed(Math.abs(value) < 10 ? 2 : 0);
}

/** A table for a person: numbers to the right, rounded; a row need not have every column. */
export function formatTable({ title, rows }: BenchTable): string {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const isNumber = (name: string) => rows.every((row) => ['number', 'undefined'].includes(typeof row[name]));
  const cells = rows.map((row) => names.map((name) => cell(row[name] ?? '')));
  const widths = names.map((name, column) => Math.max(name.length, ...cells.map((row) => row[column]?.length ?? 0)));
  const line = (texts: readonly string[]) =>
    texts
      .map((text, column) => {
        const width = widths[column] ?? 0;
        return isNumber(names[column] ?? '') ? text.padStart(width) : text.padEnd(width);
      })
      .join('  ')
      .trimEnd();
  return [title, ...[names, ...cells].map((row) => `  ${line(row)}`)].join('\n');
}
