/** Every raw format that a source can name. */
export const FORMAT_NAMES = ['ndjson', 'json-concat', 'combined', 'cloudfront', 'cloudfront-json', 'csv'] as const;

export type FormatName = (typeof FORMAT_NAMES)[number];

/** A pseudonymised copy, which stands in the mirror for a file from outside the EU. No source can name this format. */
export const COPY_FORMAT = 'pseudonymised';

/** How a file of the mirror may be written. */
export type StoredFormatName = FormatName | typeof COPY_FORMAT;

/** What a CSV column's text stands for. An empty field without quotes is null in any case. */
export const COLUMN_TYPES = ['text', 'number', 'boolean', 'json'] as const;

export type ColumnType = (typeof COLUMN_TYPES)[number];

/** What a source file says about its CSV; all of it may be left to the files themselves. */
export interface CsvOptions {
  /** One of `,` `;` `|` and tab; without it, found in the file. */
  delimiter?: string | undefined;
  /** Column names of files that have no header row. */
  columns?: string[] | undefined;
  /** Of columns that are not text. */
  types?: Record<string, ColumnType> | undefined;
}
