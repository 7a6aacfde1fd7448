import { type ApiClient, createApiClient } from '@backfill/core/client/api-client';
import type { Command } from 'commander';
import type { CliContext } from './cli-context.ts';
import { readSettings, type Settings } from './settings.ts';

/** The options that every command has; see program.ts. */
export interface GlobalOptions {
  as?: string;
  json?: boolean;
  stateDir?: string;
}

/** One run of one command: who it speaks as, and how it prints. */
export interface Session {
  settings: Settings;
  client: ApiClient;
  context: CliContext;
  /** True when `--json` asks for data instead of text. */
  json: boolean;
  print(lines: readonly string[]): void;
  printJson(data: unknown): void;
}

/**
 * Opens no connection yet.
 *
 * @param role whose token to use when `--as` names no other
 */
export function openSession(context: CliContext, command: Command, role: string): Session {
  const options = command.optsWithGlobals<GlobalOptions>();
  const settings = readSettings(context.env, options.stateDir);
  const client = createApiClient({
    baseUrl: settings.apiUrl(),
    token: settings.token(options.as ?? role),
    signal: context.signal,
  });
  return {
    settings,
    client,
    context,
    json: options.json ?? false,
    print: (lines) => context.stdout.write(lines.map((line) => `${line}\n`).join('')),
    printJson: (data) => context.stdout.write(`${JSON.stringify(data, null, 2)}\n`),
  };
}
