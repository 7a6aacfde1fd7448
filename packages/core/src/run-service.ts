import { readEnvironment, type ServiceConfig, type ServiceName } from './config/environment.ts';
import { describeError } from './errors.ts';
import { createLogger, type Logger } from './observability/logger.ts';

export interface Service {
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** After this long a stop is taken by force. */
const FORCED_EXIT_MS = 25_000;

/** Resolves with the reason to stop: SIGINT, SIGTERM, or the loss of the supervisor (a closed IPC channel). */
function endOfService(): Promise<string> {
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve('SIGINT'));
    process.once('SIGTERM', () => resolve('SIGTERM'));
    if (process.connected) process.once('disconnect', () => resolve('supervisor gone'));
  });
}

async function run(service: Service, logger: Logger): Promise<void> {
  const ended = endOfService();
  try {
    await service.start();
    logger.info('service started');
    logger.info({ reason: await ended }, 'service stopping');
  } catch (error) {
    logger.fatal({ error: describeError(error) }, 'service failed');
    process.exitCode = 1;
  }
  setTimeout(() => process.exit(1), FORCED_EXIT_MS).unref();
  await service.stop();
}

/**
 * A service's main: reads the environment, builds the service, runs it until it is told to stop, and stops it. Sets
 * the exit code instead of exiting, so that pending output is written; a stop that hangs is cut short. Whatever fails
 * is one line of the log.
 */
export async function runMain(name: ServiceName, build: (config: ServiceConfig) => Service): Promise<void> {
  try {
    const config = readEnvironment(name, process.env);
    await run(build(config), createLogger(name, config.logLevel));
  } catch (error) {
    createLogger(name, 'info').fatal({ error: describeError(error) }, 'service failed');
    process.exitCode = 1;
  }
  if (process.connected) process.disconnect();
}
