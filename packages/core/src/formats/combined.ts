import type { JsonObject } from '../domain/json.ts';
import { createLineFraming } from './line-framing.ts';
import { isMostly, sampleLines } from './sample-lines.ts';
import type { ParsedRecord, SourceFormat } from './source-format.ts';

/**
 * Apache's and nginx's combined access log:
 * `addr ident user [time] "request" status bytes "referer" "agent"`.
 *
 * Fields of a record: remote_addr, remote_user, time (as written), request, status, bytes,
 * referer, user_agent, and method, path, protocol when the request line is well-formed. A `-` is
 * null. What stands after the agent (virtual host, timings) is ignored.
 */
export const combined: SourceFormat = {
  name: 'combined',
  detect: (head) => isMostly(sampleLines(head), (line) => parseCombined(line).ok),
  readHeader: () => null,
  createFraming: createLineFraming,
  createParser: () => parseCombined,
};

const MALFORMED: ParsedRecord = { ok: false, reason: 'not_combined_log' };
const REQUEST_LINE = /^([A-Z][A-Z-]{0,31}) ([^ ]+) (HTTP\/\d(?:\.\d)?)$/;
const COUNT = /^\d{1,15}$/;

/** Walks the line once from left to right; every step moves forward, so the time is linear. */
function parseCombined(text: string): ParsedRecord {
  const addrEnd = text.indexOf(' ');
  const identEnd = addrEnd > 0 ? text.indexOf(' ', addrEnd + 1) : -1;
  // A user name may contain spaces; the time's bracket is what ends it.
  const timeStart = identEnd > 0 ? text.indexOf(' [', identEnd + 1) : -1;
  const timeEnd = timeStart > 0 ? text.indexOf('] "', timeStart + 2) : -1;
  if (timeEnd < 0) return MALFORMED;
  const requestEnd = closingQuote(text, timeEnd + 3);
  if (requestEnd < 0 || text[requestEnd + 1] !== ' ') return MALFORMED;
  const statusEnd = text.indexOf(' ', requestEnd + 2);
  const bytesEnd = statusEnd > 0 ? text.indexOf(' ', statusEnd + 1) : -1;
  if (bytesEnd < 0 || text[bytesEnd + 1] !== '"') return MALFORMED;
  const refererEnd = closingQuote(text, bytesEnd + 2);
  if (refererEnd < 0 || text[refererEnd + 1] !== ' ' || text[refererEnd + 2] !== '"') {
    return MALFORMED;
  }
  const agentEnd = closingQuote(text, refererEnd + 3);
  const status = text.slice(requestEnd + 2, statusEnd);
  const bytes = text.slice(statusEnd + 1, bytesEnd);
  if (agentEnd < 0 || !COUNT.test(status) || !(bytes === '-' || COUNT.test(bytes))) {
    return MALFORMED;
  }
  const request = unescapeQuoted(text.slice(timeEnd + 3, requestEnd));
  const record: JsonObject = {
    remote_addr: dashAsNull(text.slice(0, addrEnd)),
    remote_user: dashAsNull(text.slice(identEnd + 1, timeStart)),
    time: text.slice(timeStart + 2, timeEnd),
    request,
    status: Number(status),
    bytes: bytes === '-' ? null : Number(bytes),
    referer: dashAsNull(unescapeQuoted(text.slice(bytesEnd + 2, refererEnd))),
    user_agent: dashAsNull(unescapeQuoted(text.slice(refererEnd + 3, agentEnd))),
  };
  const parts = REQUEST_LINE.exec(request);
  if (parts !== null) {
    record.method = parts[1] as string;
    record.path = parts[2] as string;
    record.protocol = parts[3] as string;
  }
  return { ok: true, record };
}

/** Index of the next quote that no backslash escapes; -1 if there is none. */
function closingQuote(text: string, start: number): number {
  let quote = text.indexOf('"', start);
  while (quote >= 0) {
    let backslashes = 0;
    while (quote - 1 - backslashes >= start && text[quote - 1 - backslashes] === '\\') {
      backslashes++;
    }
    if (backslashes % 2 === 0) return quote;
    quote = text.indexOf('"', quote + 1);
  }
  return -1;
}

/**
 * Undoes the escapes of quote and backslash. `\xHH` stays as written: its bytes need not be UTF-8.
 */
function unescapeQuoted(value: string): string {
  return value.includes('\\') ? value.replace(/\\(["\\])/g, '$1') : value;
}

function dashAsNull(value: string): string | null {
  return value === '-' || value === '' ? null : value;
}
