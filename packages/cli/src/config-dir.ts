import { stat } from 'node:fs/promises';
import path from 'node:path';
import { ConfigError } from '@backfill/core/config/config-error';
import { type BackfillConfig, loadConfigDir } from '@backfill/core/config/load-config';
import type { Command } from 'commander';
import type { CliContext } from './cli-context.ts';
import { CliError, UsageError } from './cli-error.ts';

/** The configuration that ships with the software. */
export const EXAMPLE_CONFIG = path.join(import.meta.dirname, '../../../examples/config');

/** Adds `--config`, for commands that read the files themselves instead of asking the API. */
export function withConfigOption(command: Command): Command {
  return command.option('--config <dir>', 'configuration directory (default: $BACKFILL_CONFIG_DIR, else the examples)');
}

/**
 * The directory to read: the option, the environment's, or the examples.
 *
 * @throws {UsageError} when there is no such directory.
 */
export async function resolveConfigDir(context: CliContext, option: string | undefined): Promise<string> {
  const dir = path.resolve(option ?? (context.env.BACKFILL_CONFIG_DIR || EXAMPLE_CONFIG));
  const info = await stat(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (!info?.isDirectory()) throw new UsageError(`There is no directory ${dir}.`);
  return dir;
}

/** @throws {CliError} listing every mistake in the directory. */
export async function loadConfig(dir: string): Promise<BackfillConfig> {
  try {
    return await loadConfigDir(dir);
  } catch (error) {
    if (error instanceof ConfigError) throw new CliError(error.message, [], { cause: error });
    throw error;
  }
}
