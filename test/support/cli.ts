import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { text } from 'node:stream/consumers';

const LAUNCHER = path.join(import.meta.dirname, '../../backfill');

export interface CliResult {
  code: number | null;
  out: string;
  err: string;
}

/** Runs `./backfill` as a person does, against the stack on a state directory. */
export async function runBackfill(
  stateDir: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<CliResult> {
  const child = spawn(LAUNCHER, args, {
    env: { ...process.env, BACKFILL_STATE_DIR: stateDir, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { code: child.exitCode, out, err };
}
