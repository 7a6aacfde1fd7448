import { cloudfrontRecord } from './cloudfront-record.ts';
import { createLineFraming } from './line-framing.ts';
import { isNdjson } from './ndjson.ts';
import { parseJsonRecord } from './parse-json.ts';
import { sampleLines } from './sample-lines.ts';
import type { SourceFormat } from './source-format.ts';

/** In every CloudFront log, and in no other. */
const OWN_FIELD = /"x-edge-(?:location|result-type|request-id)"\s*:/;

/**
 * CloudFront's standard log v2 as JSON: an object per line whose values are text as in the legacy log, so that one
 * mapping reads both.
 */
export const cloudfrontJson: SourceFormat = {
  name: 'cloudfront-json',
  detect: (head) => OWN_FIELD.test(sampleLines(head)[0] ?? '') && isNdjson(head),
  readHeader: () => null,
  createFraming: createLineFraming,
  createParser: () => (text) => {
    const parsed = parseJsonRecord(text);
    return parsed.ok ? { ok: true, record: cloudfrontRecord(Object.entries(parsed.record)) } : parsed;
  },
};
