const NEEDS_ESCAPE = /[\\\t\n\r]/;
const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };

/** A value in PostgreSQL's COPY text format (COPY, "Text Format"). Free of NUL. */
export function copyTextField(value: string | null): string {
  if (value === null) return '\\N';
  return NEEDS_ESCAPE.test(value) ? value.replace(/[\\\t\n\r]/g, (character) => ESCAPES[character] ?? '') : value;
}

/** As copyTextField, for text that is known to have no tab and no line end, such as JSON. */
export function copyPlainField(value: string): string {
  return value.includes('\\') ? value.replaceAll('\\', '\\\\') : value;
}

/** One row in PostgreSQL's COPY text format, with its line end. */
export function copyTextRow(values: readonly (string | null)[]): string {
  return `${values.map(copyTextField).join('\t')}\n`;
}
