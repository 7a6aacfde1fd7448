import { ApiNotUnderstood, ApiProblem, ApiUnreachable } from '@backfill/core/client/api-problem';
import { BackfillError, describeReason } from '@backfill/core/errors';
import { formatProblem } from '@backfill/core/text/format-problem';
import { CommanderError } from 'commander';
import { ZodError } from 'zod';
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
    const { lines, exitCode } = describe(error);
    context.stderr.write([...lines, ...stackOf(error, context)].map((line) => `${line}\n`).join(''));
    return exitCode;
  }
}

interface Told {
  lines: string[];
  exitCode: number;
}

function describe(error: unknown): Told {
  if (error instanceof UsageError) return { lines: [error.message, ...error.next], exitCode: WRONG_USAGE };
  if (error instanceof CliError) return { lines: [error.message, ...error.next], exitCode: FAILED };
  if (error instanceof BackfillError) return { lines: [error.message], exitCode: FAILED };
  return describeApi(error) ?? describeSystem(error) ?? describeUnknown(error);
}

function describeApi(error: unknown): Told | undefined {
  if (error instanceof ApiProblem) {
    const exitCode = REQUEST_MISTAKES.includes(error.status) ? WRONG_USAGE : FAILED;
    return { lines: formatProblem(error), exitCode };
  }
  if (error instanceof ApiUnreachable) {
    const next = 'Start the stack: npm start (BACKFILL_API_URL points to another one)';
    return { lines: [`${error.message}.`, next], exitCode: FAILED };
  }
  // An answer that is JSON, but not of a form that we know.
  if (error instanceof ApiNotUnderstood || error instanceof ZodError) {
    const what = error instanceof ApiNotUnderstood ? error.message : 'The API gave an answer of an unknown form';
    return {
      lines: [`${what}.`, 'See where BACKFILL_API_URL points to, and use the command line of its version.'],
      exitCode: FAILED,
    };
  }
  return undefined;
}

/** What the operating system refused about a file or folder. */
function describeSystem(error: unknown): Told | undefined {
  if (!(error instanceof Error && 'syscall' in error && 'path' in error && 'code' in error)) return undefined;
  const reason = FILE_REASONS[String(error.code)] ?? String(error.code);
  return { lines: [`${String(error.path)}: ${reason}.`], exitCode: FAILED };
}

const FILE_REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  ENOTDIR: 'a part of the path is not a folder',
  EISDIR: 'it is a folder',
  EACCES: 'you may not do that',
  EPERM: 'you may not do that',
  EEXIST: 'it is there already',
  ENOSPC: 'the disk is full',
  EROFS: 'it can only be read',
};

function describeUnknown(error: unknown): Told {
  const lines = [
    `Something unforeseen went wrong (${describeReason(error)}).`,
    'BACKFILL_DEBUG=1 before the command shows where; that belongs into a report of the mistake.',
  ];
  return { lines, exitCode: FAILED };
}

function stackOf(error: unknown, { env }: CliContext): string[] {
  return env.BACKFILL_DEBUG && error instanceof Error ? [error.stack ?? ''] : [];
}
