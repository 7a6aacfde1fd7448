import { isJsonObject, type JsonValue } from '../domain/json.ts';
import { readCsvFields } from './csv-fields.ts';
import { CsvFraming } from './csv-framing.ts';
import { compileCsvRow } from './csv-row.ts';
import { RecordScanner } from './record-scanner.ts';
import { type HeaderHints, type ParsedRecord, SKIPPED, type SourceFormat } from './source-format.ts';

/** What the plan pins of a CSV file. */
interface CsvHeader {
  delimiter: string;
  /** Empty where no mapping reads the column. */
  columns: string[];
  /** False when the source names the columns. */
  in_file: boolean;
}

const DELIMITERS = [',', ';', '\t', '|'];
const MAX_SAMPLES = 50;
/** A name, as a header row has it; a sentence or a value is none. */
const COLUMN_NAME = /^[\p{L}_][\p{L}\p{N} _.:()/-]{0,63}$/u;
const NOT_CSV: ParsedRecord = { ok: false, reason: 'not_csv' };
const WRONG_COUNT: ParsedRecord = { ok: false, reason: 'wrong_field_count' };

/**
 * CSV by RFC 4180, with a header row or with columns that the source names. Fields of a record: the columns, with a dot
 * in a name as a level (`user.id`); text unless the source says otherwise, null where a field is empty and unquoted.
 * A row that repeats the header is skipped: files are joined like that.
 */
export const csv: SourceFormat = {
  name: 'csv',
  detect: (head) => {
    const { rows, columns } = sample(head, findDelimiter(head));
    const alike = rows.filter((row) => row.length === columns.length).length;
    const areNames = columns.length > 1 && columns.every((name) => COLUMN_NAME.test(name));
    return areNames && new Set(columns).size === columns.length && alike * 2 >= rows.length;
  },
  readHeader: (head, hints) => pinHeader(head, hints) as unknown as JsonValue,
  createFraming: (header) => new CsvFraming(asHeader(header).delimiter),
  createParser: (header, options) => {
    const { delimiter, columns, in_file: inFile } = asHeader(header);
    const toRecord = compileCsvRow(columns, options.csv.types ?? {});
    return (text) => {
      const fields = readCsvFields(text, delimiter);
      if (fields === undefined) return NOT_CSV;
      if (inFile && isHeaderRow(fields, columns)) return SKIPPED;
      if (fields.length !== columns.length) return WRONG_COUNT;
      return toRecord(fields);
    };
  },
};

function pinHeader(head: string, { csv: options, isMapped }: HeaderHints): CsvHeader {
  const delimiter = options.delimiter ?? findDelimiter(head);
  if (options.columns !== undefined) return { delimiter, columns: options.columns, in_file: false };
  const names = sample(head, delimiter).columns;
  return { delimiter, columns: names.map((name) => (isMapped(name) ? name : '')), in_file: true };
}

/** The first rows as fields; what stands in an unfinished last row is not looked at. */
function sample(head: string, delimiter: string): { columns: string[]; rows: string[][] } {
  const bytes = Buffer.from(head.charCodeAt(0) === 0xfeff ? head.slice(1) : head);
  const scanner = new RecordScanner(new CsvFraming(delimiter), { firstLine: 1, maxLineBytes: bytes.length });
  const lines = scanner.feed(bytes);
  const whole = lines.length > 0 ? lines : scanner.finish();
  const rows = whole
    .slice(0, MAX_SAMPLES)
    .filter((line) => line.bytes !== undefined && line.bytes.length > 0)
    .map((line) => (readCsvFields(String(line.bytes), delimiter) ?? []).map((field) => field ?? ''));
  return { columns: rows[0] ?? [], rows };
}

/** The delimiter by which most rows have as many fields as the first, and of those the one that makes most fields. */
function findDelimiter(head: string): string {
  const score = (delimiter: string) => {
    const { rows, columns } = sample(head, delimiter);
    const alike = rows.filter((row) => row.length === columns.length).length;
    return columns.length < 2 ? 0 : (alike / rows.length) * 1_000 + columns.length;
  };
  const scored = DELIMITERS.map((delimiter) => ({ delimiter, score: score(delimiter) }));
  return scored.reduce((best, other) => (other.score > best.score ? other : best)).delimiter;
}

/** Has each name that we know in its column. */
function isHeaderRow(fields: readonly (string | null)[], columns: readonly string[]): boolean {
  const isSame = (name: string, index: number) => name === '' || fields[index] === name;
  return fields.length === columns.length && columns.some((name) => name !== '') && columns.every(isSame);
}

function asHeader(header: JsonValue): CsvHeader {
  if (!isJsonObject(header)) throw new TypeError('a CSV file has no header in its plan');
  return header as unknown as CsvHeader;
}
