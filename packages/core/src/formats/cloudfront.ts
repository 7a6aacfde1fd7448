import { isJsonObject, type JsonObject, type JsonValue } from '../domain/json.ts';
import { cloudfrontRecord } from './cloudfront-record.ts';
import { createLineFraming } from './line-framing.ts';
import { type ParsedRecord, SKIPPED, type SourceFormat } from './source-format.ts';

/** From which line on which fields stand in which order. A file has one header, or one per file it was joined from. */
interface FieldsHeader {
  from_line: number;
  fields: string[];
}

/** More than any joined file has; the header must stay small enough to be handed to each chunk. */
const MAX_HEADERS = 1_000;
const DIRECTIVE = /^\uFEFF?#(?:Version|Fields):/;
const FIELDS = '#Fields:';
/** What is none is not pinned: nobody knows what else such a line may hold. */
const FIELD_NAME = /^[A-Za-z][A-Za-z0-9()_-]{0,63}$/;

/**
 * CloudFront's standard log, the legacy one and v2's `w3c`: lines that begin with `#` name the fields, the others have
 * their values, with tabs between them. Fields of a record: those of the log, see `cloudfrontRecord`.
 */
export const cloudfront: SourceFormat = {
  name: 'cloudfront',
  detect: (head) => DIRECTIVE.test(head),
  readHeader: () => [],
  amendHeader: (header, line) => {
    const fields = line.bytes?.[0] === 0x23 || line.lineNo === 1 ? fieldsOf(String(line.bytes)) : undefined;
    const headers = asHeaders(header);
    if (fields === undefined || headers.length > MAX_HEADERS || isSame(headers.at(-1)?.fields, fields)) return header;
    // Without names from here on, lines are quarantined instead of misread.
    const known = headers.length < MAX_HEADERS ? fields : [];
    return [...headers, { from_line: line.lineNo, fields: known }] as unknown as JsonValue;
  },
  createFraming: createLineFraming,
  createParser: (header) => {
    const headers = asHeaders(header);
    return (text, lineNo) => (text.startsWith('#') ? SKIPPED : parseLine(text, fieldsAt(headers, lineNo)));
  },
};

function parseLine(text: string, fields: string[] | undefined): ParsedRecord {
  if (fields === undefined) return { ok: false, reason: 'no_fields_header' };
  const values = text.split('\t');
  if (values.length !== fields.length) return { ok: false, reason: 'wrong_field_count' };
  return { ok: true, record: cloudfrontRecord(fields.map((field, index) => [field, values[index] as string])) };
}

/** The names of a `#Fields:` line, which has spaces or tabs between them. */
function fieldsOf(text: string): string[] | undefined {
  const line = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  if (!line.startsWith(FIELDS)) return undefined;
  const names = line.slice(FIELDS.length).trim();
  return names.split(/[ \t]+/).map((name) => (FIELD_NAME.test(name) ? name : ''));
}

function fieldsAt(headers: readonly FieldsHeader[], lineNo: number): string[] | undefined {
  let index = headers.length - 1;
  while (index > 0 && (headers[index] as FieldsHeader).from_line > lineNo) index--;
  return headers[index]?.fields;
}

function isSame(a: string[] | undefined, b: string[]): boolean {
  return a !== undefined && a.length === b.length && a.every((name, index) => name === b[index]);
}

function asHeaders(header: JsonValue): FieldsHeader[] {
  if (!Array.isArray(header)) return [];
  return header.filter(isJsonObject).map((entry: JsonObject) => entry as unknown as FieldsHeader);
}
