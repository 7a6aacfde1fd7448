import type { Argument, Command, Option } from 'commander';

/** One thing that may stand where the cursor is. */
export interface Candidate {
  value: string;
  /** For shells that show one; may be empty. */
  description: string;
}

/** What may stand where the cursor is: some of these words, a path, or the id of a batch. */
export type Completion =
  | { kind: 'words'; words: Candidate[] }
  | { kind: 'paths' }
  | { kind: 'batches'; before: string };

/** Names of arguments and options whose value is a path or a batch: `<dir>`, `--batch-id <id>`. */
const PATHS: ReadonlySet<string> = new Set(['dir', 'file', 'from']);
const BATCH_OPTIONS: ReadonlySet<string> = new Set(['--batch-id', '--replaces-batch']);

const NOTHING: Completion = { kind: 'words', words: [] };

interface Place {
  command: Command;
  /** Arguments of the command that stand before the cursor. */
  given: number;
  /** The option whose value comes next. */
  option: Option | undefined;
}

/** The placeholder in an option's flags: `dir` of `--config <dir>`. */
function placeholderOf({ flags }: Option): string {
  return /[<[]([a-z0-9 ]{1,20})/.exec(flags)?.[1] ?? '';
}

function optionsOf(command: Command | null): Option[] {
  if (command === null) return [];
  return [...command.createHelp().visibleOptions(command), ...optionsOf(command.parent)];
}

function findOption(command: Command, word: string): Option | undefined {
  return optionsOf(command).find((option) => option.long === word || option.short === word);
}

function takesValue(option: Option | undefined): boolean {
  return option?.required === true || option?.optional === true;
}

/** Goes through the words before the cursor as commander would. */
function walk(program: Command, words: readonly string[]): Place {
  const place: Place = { command: program, given: 0, option: undefined };
  for (const word of words) {
    if (place.option !== undefined) {
      place.option = undefined;
    } else if (word.startsWith('-')) {
      const option = findOption(place.command, word);
      if (takesValue(option)) place.option = option;
    } else {
      const next = place.command.commands.find((command) => command.name() === word);
      if (next === undefined) place.given += 1;
      else place.command = next;
    }
  }
  return place;
}

function valuesOf(values: readonly string[] | undefined, current: string, before: string): Completion {
  const fitting = (values ?? []).filter((value) => value.startsWith(current));
  return { kind: 'words', words: fitting.map((value) => ({ value: `${before}${value}`, description: '' })) };
}

/** @param before what stands before the value in the same word: `--role=` */
function completeValue(option: Option, current: string, before = ''): Completion {
  if (BATCH_OPTIONS.has(option.long ?? '')) return { kind: 'batches', before };
  if (PATHS.has(placeholderOf(option))) return { kind: 'paths' };
  return valuesOf(option.argChoices, current, before);
}

function completeArgument(argument: Argument | undefined, current: string): Completion {
  if (argument === undefined) return NOTHING;
  if (argument.name() === 'batch') return { kind: 'batches', before: '' };
  if (PATHS.has(argument.name())) return { kind: 'paths' };
  return valuesOf(argument.argChoices, current, '');
}

function completeOptionName(command: Command, current: string): Completion {
  const words = optionsOf(command)
    .map(({ long, description }) => ({ value: long ?? '', description }))
    .filter(({ value }) => value !== '' && value.startsWith(current));
  // An own option and one that all commands have may be of the same name: --help.
  const seen = new Set<string>();
  return { kind: 'words', words: words.filter(({ value }) => !seen.has(value) && seen.add(value)) };
}

function completeCommandName(command: Command, current: string): Completion {
  const words = command
    .createHelp()
    .visibleCommands(command)
    .map((one) => ({ value: one.name(), description: one.summary() || one.description() }))
    .filter(({ value }) => value.startsWith(current));
  return { kind: 'words', words };
}

/**
 * What may stand at the cursor, by the commands as commander knows them. Pure.
 *
 * @param words of the command line behind the program's name; the last one is being typed, and may be empty
 */
export function complete(program: Command, words: readonly string[]): Completion {
  // bash makes three words of --role=product_owner.
  const parted = words.filter((word, index) => word !== '=' || index === words.length - 1);
  const current = parted.at(-1) === '=' ? '' : (parted.at(-1) ?? '');
  const { command, given, option } = walk(program, parted.slice(0, -1));
  if (option !== undefined) return completeValue(option, current);
  const assigned = current.indexOf('=');
  if (current.startsWith('-') && assigned > 0) {
    const named = findOption(command, current.slice(0, assigned));
    const before = current.slice(0, assigned + 1);
    return named === undefined ? NOTHING : completeValue(named, current.slice(assigned + 1), before);
  }
  if (current.startsWith('-')) return completeOptionName(command, current);
  if (command.commands.length > 0 || command.name() === 'help') {
    return completeCommandName(command.name() === 'help' ? program : command, current);
  }
  return completeArgument(command.registeredArguments[given] ?? lastVariadic(command), current);
}

function lastVariadic({ registeredArguments }: Command): Argument | undefined {
  const last = registeredArguments.at(-1);
  return last?.variadic === true ? last : undefined;
}
