import { CsvError, parse } from 'csv-parse/sync';

/**
 * The fields of one CSV record, without its line end; null where a field is empty and has no quotes. Undefined when its
 * quotes are wrong.
 */
export function readCsvFields(text: string, delimiter: string): (string | null)[] | undefined {
  if (!text.includes('"')) return text.split(delimiter).map((field) => (field === '' ? null : field));
  try {
    const rows = parse(text, {
      delimiter,
      record_delimiter: ['\n', '\r\n'],
      relax_column_count: true,
      cast: (field, { quoting }) => (field === '' && !quoting ? null : field),
    }) as (string | null)[][];
    return rows.length === 1 ? rows[0] : undefined;
  } catch (error) {
    // The parser's message quotes the record, which may be personal.
    if (error instanceof CsvError) return undefined;
    throw error;
  }
}
