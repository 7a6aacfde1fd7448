import type { Readable } from 'node:stream';
import type { TextOutput } from '@backfill/core/text/live-block';

/** What the command line takes from its surroundings; tests bring their own. */
export interface CliContext {
  env: NodeJS.ProcessEnv;
  /** Where there is one. */
  stdin?: Readable;
  stdout: TextOutput;
  stderr: TextOutput;
  /** Aborts on Ctrl-C. */
  signal: AbortSignal;
}
