import { FatalError } from '../errors.ts';

/** One mistake in the configuration directory. */
export interface ConfigMistake {
  /** Path of the file inside the configuration directory. */
  file: string;
  /** Where in the file, as `/mapping/time/path`; empty for the file as a whole. */
  path: string;
  message: string;
}

/** The configuration cannot be used; lists every mistake, not only the first. */
export class ConfigError extends FatalError {
  override readonly name = 'ConfigError';
  readonly mistakes: readonly ConfigMistake[];

  constructor(dir: string, mistakes: readonly ConfigMistake[]) {
    const lines = mistakes.map(({ file, path, message }) =>
      path === '' ? `  ${file}: ${message}` : `  ${file} ${path}: ${message}`,
    );
    super(`The configuration in ${dir} has mistakes:\n${lines.join('\n')}`);
    this.mistakes = mistakes;
  }
}
