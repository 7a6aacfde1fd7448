import { createLineFraming } from './line-framing.ts';
import { parseJsonRecord } from './parse-json.ts';
import { isMostly, sampleLines } from './sample-lines.ts';
import type { SourceFormat } from './source-format.ts';

const OBJECT_BEHIND_OBJECT = /\}\s*\{/;

/**
 * One JSON object per line: application logs, the archives of Segment, RudderStack and PostHog, Cloudflare Logpush. What
 * differs between those (names, how times are written) is a matter of the mapping.
 */
export const ndjson: SourceFormat = {
  name: 'ndjson',
  detect: isNdjson,
  readHeader: () => null,
  createFraming: createLineFraming,
  createParser:
    (_header, { exactIntegers }) =>
    (text) =>
      parseJsonRecord(text, exactIntegers),
};

/** Most lines are objects, and no other holds several: those would be lost on a reader of lines. */
export function isNdjson(head: string): boolean {
  const lines = sampleLines(head);
  const bad = lines.filter((line) => !parseJsonRecord(line).ok);
  return isMostly(lines, (line) => !bad.includes(line)) && !bad.some((line) => OBJECT_BEHIND_OBJECT.test(line));
}
