import { type Logger, pino } from 'pino';
import { currentRequestId } from '../request-scope.ts';

export type { Logger };

/** A JSON logger on standard output. Never give it payloads, identifiers of people or raw lines. */
export function createLogger(service: string, level: string): Logger {
  return pino({
    level,
    base: { service, pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    mixin() {
      const id = currentRequestId();
      return id === undefined ? {} : { request_id: id };
    },
  });
}
