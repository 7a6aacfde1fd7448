import { describeError } from './errors.ts';
import type { Logger } from './observability/logger.ts';

export interface Service {
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** After this long a stop is taken by force. */
const FORCED_EXIT_MS = 25_000;

/**
 * Runs a service until SIGINT, SIGTERM, or the loss of its supervisor (a closed IPC channel), then stops it.
 * Sets the exit code instead of exiting, so that pending output is written; a stop that hangs is cut short.
 */
export async function runService(service: Service, logger: Logger): Promise<void> {
  const ended = new Promise<string>((resolve) => {
    process.once('SIGINT', () => resolve('SIGINT'));
    process.once('SIGTERM', () => resolve('SIGTERM'));
    if (process.connected) process.once('disconnect', () => resolve('supervisor gone'));
  });
  try {
    await service.start();
    logger.info('service started');
    const reason = await ended;
    logger.info({ reason }, 'service stopping');
  } catch (error) {
    logger.fatal({ error: describeError(error) }, 'service failed');
    process.exitCode = 1;
  }
  setTimeout(() => process.exit(1), FORCED_EXIT_MS).unref();
  await service.stop();
  if (process.connected) process.disconnect();
}
