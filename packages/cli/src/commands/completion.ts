import { Argument, type Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { type Candidate, complete } from '../completion/complete.ts';
import { listBatchIds } from '../completion/list-batch-ids.ts';
import { COMPLETE_COMMAND, COMPLETION_SCRIPTS, PATHS_ANSWER, SHELLS, type Shell } from '../completion/scripts.ts';
import type { GlobalOptions } from '../session.ts';
import { readSettings } from '../settings.ts';

const HELP_END = `
Examples:
  eval "$(./backfill completion bash)"     # in ~/.bashrc, with the path of this file
  eval "$(./backfill completion zsh)"      # in ~/.zshrc, after compinit
  ./backfill completion fish | source      # in ~/.config/fish/config.fish`;

/** `backfill completion bash|zsh|fish`, and the hidden command that the scripts ask. */
export function addCompletion(program: Command, context: CliContext): void {
  program
    .command('completion')
    .summary('print a script that lets a shell complete this command line')
    .description(
      'Prints a script for a shell to read: after it Tab completes commands, options, their values, paths, and the ids of batches where the API answers.',
    )
    .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
    .addHelpText('after', HELP_END)
    .action((shell: Shell) => {
      context.stdout.write(COMPLETION_SCRIPTS[shell]);
    });
  program
    .command(COMPLETE_COMMAND, { hidden: true })
    .argument('[words...]')
    .action(async (words: string[], _options: unknown, command: Command) => {
      const found = await findCandidates(program, words, command, context);
      const lines = found === 'paths' ? [PATHS_ANSWER] : found.map(formatCandidate);
      context.stdout.write(lines.map((line) => `${line}\n`).join(''));
    });
}

async function findCandidates(
  program: Command,
  words: readonly string[],
  command: Command,
  context: CliContext,
): Promise<Candidate[] | 'paths'> {
  const found = complete(program, words);
  if (found.kind === 'words') return found.words;
  if (found.kind === 'paths') return 'paths';
  const { stateDir } = command.optsWithGlobals<GlobalOptions>();
  const settings = readSettings(context.env, stateDirOf(words) ?? stateDir);
  const typed = words.at(-1) ?? '';
  const batches = await listBatchIds(settings, context.signal);
  return batches
    .map(({ value, description }) => ({ value: `${found.before}${value}`, description }))
    .filter(({ value }) => typed === '=' || value.startsWith(typed));
}

/** The stack that the command line being typed is about. */
function stateDirOf(words: readonly string[]): string | undefined {
  const at = words.lastIndexOf('--state-dir');
  return at === -1 ? undefined : words[at + 1];
}

function formatCandidate({ value, description }: Candidate): string {
  return `${value}\t${description.replaceAll(/[\t\n]/g, ' ')}`;
}
