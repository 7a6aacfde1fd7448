import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const QUOTES = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

/** Programs that have a shell complete a command line, as it does when somebody presses Tab, and print what it offers. */
const ASK: Readonly<Record<string, (words: readonly string[]) => string>> = {
  bash: (words) => `eval "$(./backfill completion bash)"
    compopt() { COMPREPLY=(a path); }
    COMP_WORDS=(./backfill ${words.map(QUOTES).join(' ')}) COMP_CWORD=${words.length}
    _backfill; printf '%s\\n' "\${COMPREPLY[@]}"`,
  // What zsh's own functions would do with it, without a terminal.
  zsh: (words) => `compdef() { :; }
    _describe() { print -l -- "\${(@)\${(P)2}%%:*}"; }
    _files() { print -l a path; }
    eval "$(./backfill completion zsh)"
    words=(./backfill ${words.map(QUOTES).join(' ')}) CURRENT=${words.length + 1}
    _backfill`,
  fish: (words) => `./backfill completion fish | source
    complete -C ${QUOTES(['./backfill', ...words].join(' '))} | string replace -r '\\t.*' ''; true`,
};

const FLAGS: Readonly<Record<string, string[]>> = { bash: ['--norc', '-c'], zsh: ['-f', '-c'], fish: ['-N', '-c'] };

/** The words that a real shell offers for the last one, in the repository's folder. */
export async function completeInShell(
  shell: string,
  words: readonly string[],
  options: { cwd: string; env: NodeJS.ProcessEnv },
): Promise<string[]> {
  const script = ASK[shell]?.(words);
  if (script === undefined) throw new Error(`nobody knows how to ask ${shell}`);
  const { stdout } = await promisify(execFile)(shell, [...(FLAGS[shell] ?? []), script], options);
  return stdout.split('\n').filter((line) => line !== '');
}

/** The shells to try: bash is everywhere; BACKFILL_TEST_SHELLS=bash,zsh,fish names others, which must be there then. */
export const SHELLS = (process.env.BACKFILL_TEST_SHELLS ?? 'bash').split(',');
