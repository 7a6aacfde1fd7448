import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** A UUID, or a trace id of W3C Trace Context. Nothing that could name a person: it ends in logs and the audit log. */
const ACCEPTED = /^(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{32})$/i;

/** The id of a request: the one it brings in `x-request-id` where that is a UUID or 32 hexadecimal digits, else a new one. */
export function chooseRequestId(request: Pick<IncomingMessage, 'headers'>): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && ACCEPTED.test(given) ? given.toLowerCase() : randomUUID();
}
