const NEEDS_ESCAPE = /[\\\t\n\r]/;
const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };

function field(value: string | null): string {
  if (value === null) return '\\N';
  return NEEDS_ESCAPE.test(value) ? value.replace(/[\\\t\n\r]/g, (character) => ESCAPES[character] ?? '') : value;
}

/** One row in PostgreSQL's COPY text format, with its line end (COPY, "Text Format"). Values are free of NUL. */
export function copyTextRow(values: readonly (string | null)[]): string {
  return `${values.map(field).join('\t')}\n`;
}
