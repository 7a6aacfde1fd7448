import { type DestinationStream, type Logger, pino } from 'pino';
import { currentRequestId } from '../request-scope.ts';
import { currentJobScope } from './job-scope.ts';

export type { Logger };

/**
 * A JSON logger on standard output. What is written while a job runs, or a request is answered, names it by itself. Never
 * give it payloads, identifiers of people or raw lines.
 */
export function createLogger(service: string, level: string, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: { service, pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    mixin() {
      const id = currentRequestId();
      return { ...currentJobScope(), ...(id !== undefined && { request_id: id }) };
    },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}
