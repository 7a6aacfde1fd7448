import { spawn } from 'node:child_process';
import path from 'node:path';
import type { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { CliError } from '../cli-error.ts';
import { helpExamples } from '../help-examples.ts';
import type { GlobalOptions } from '../session.ts';
import { REPOSITORY_ROOT } from '../settings.ts';

/** `backfill up`: the same as `npm start`, set-up of missing servers included. */
export function addUp(program: Command, context: CliContext): void {
  program
    .command('up')
    .summary('start the stack here, as npm start does')
    .description(
      'Starts PostgreSQL, Redis, an S3 server and all services in the foreground, until Ctrl-C. State survives. Other options are handed on to npm start.',
    )
    .argument('[options...]', 'options of npm start')
    .allowUnknownOption()
    .addHelpText('after', helpExamples('up', 'up --importers 4'))
    .action(async (rest: string[], _options: unknown, command: Command) => {
      const { stateDir } = command.optsWithGlobals<GlobalOptions>();
      const where = stateDir === undefined ? [] : ['--state-dir', path.resolve(stateDir)];
      const code = await runStart([...where, ...rest], context);
      if (code !== 0) throw new CliError(`The stack ended with exit code ${code}.`);
    });
}

/** Ctrl-C reaches the child by itself: it stands in the same process group. */
async function runStart(args: readonly string[], { env }: CliContext): Promise<number | null> {
  const script = path.join(REPOSITORY_ROOT, 'scripts', 'run.mjs');
  const child = spawn(process.execPath, [script, 'start', ...args], { stdio: 'inherit', env });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code));
  });
}
