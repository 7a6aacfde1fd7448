import { ApiProblem, ApiUnreachable } from '@backfill/core/client/api-problem';
import { BackfillError } from '@backfill/core/errors';
import { formatProblem } from '@backfill/core/text/format-problem';
import { CommanderError } from 'commander';
import type { CliContext } from './cli-context.ts';
import { CliError, UsageError } from './cli-error.ts';
import { createProgram } from './program.ts';

/** Contract, section 5. */
const FAILED = 1;
const WRONG_USAGE = 2;
/** What shells give for a program that Ctrl-C ended. */
const INTERRUPTED = 130;
/** The API's answers to a request that could never be right. */
const REQUEST_MISTAKES: readonly number[] = [400, 422];

/** Runs one command and returns its exit code. Nothing is thrown for what a person can mend. */
export async function runCli(args: readonly string[], context: CliContext): Promise<number> {
  try {
    await createProgram(context).parseAsync([...args], { from: 'user' });
    return 0;
  } catch (error) {
    if (context.signal.aborted) return INTERRUPTED;
    // Commander has printed the help or what is wrong.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : WRONG_USAGE;
    const told = describe(error);
    if (told === undefined) throw error;
    context.stderr.write(told.lines.map((line) => `${line}\n`).join(''));
    return told.exitCode;
  }
}

function describe(error: unknown): { lines: string[]; exitCode: number } | undefined {
  if (error instanceof UsageError) return { lines: [error.message], exitCode: WRONG_USAGE };
  if (error instanceof CliError) return { lines: [error.message, ...error.next], exitCode: FAILED };
  if (error instanceof ApiProblem) {
    const exitCode = REQUEST_MISTAKES.includes(error.status) ? WRONG_USAGE : FAILED;
    return { lines: formatProblem(error), exitCode };
  }
  if (error instanceof ApiUnreachable) {
    const next = 'Start the stack: npm start (BACKFILL_API_URL points to another one)';
    return { lines: [`${error.message}.`, next], exitCode: FAILED };
  }
  if (error instanceof BackfillError) return { lines: [error.message], exitCode: FAILED };
  return undefined;
}
