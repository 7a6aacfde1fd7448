import type { TextOutput } from '@backfill/core/text/live-block';

/** What the command line takes from its surroundings; tests bring their own. */
export interface CliContext {
  env: NodeJS.ProcessEnv;
  stdout: TextOutput;
  stderr: TextOutput;
  /** Aborts on Ctrl-C. */
  signal: AbortSignal;
}
