import { JsonFraming } from './json-framing.ts';
import { parseJsonRecord } from './parse-json.ts';
import { RecordScanner } from './record-scanner.ts';
import { isMostly } from './sample-lines.ts';
import type { SourceFormat } from './source-format.ts';

/** JSON objects one after the other without separators, as Firehose delivers them, or over several lines each. */
export const jsonConcat: SourceFormat = {
  name: 'json-concat',
  detect,
  readHeader: () => null,
  createFraming: () => new JsonFraming(),
  createParser:
    (_header, { exactIntegers }) =>
    (text) =>
      parseJsonRecord(withoutMark(text), exactIntegers),
};

const BEGINS_AS_OBJECT = /^\uFEFF?\s*\{\s*"/;

function detect(head: string): boolean {
  const bytes = Buffer.from(head);
  const scanner = new RecordScanner(new JsonFraming(), { firstLine: 1, maxLineBytes: bytes.length });
  const whole = scanner.feed(bytes).concat(scanner.finish().filter((line) => line.isDamaged === undefined));
  // An object that is longer than the head may be one of a line, too; this format reads those as well.
  if (whole.length === 0) return BEGINS_AS_OBJECT.test(head);
  return isMostly(whole, (line) => parseJsonRecord(withoutMark(String(line.bytes))).ok);
}

/** A record behind the start of one of several joined files begins with that file's byte order mark. */
function withoutMark(text: string): string {
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}
