/** A command could not do what was asked. The message is for the person at the terminal. */
export class CliError extends Error {
  override readonly name: string = 'CliError';
  /** What to do next, one line each. */
  readonly next: readonly string[];

  constructor(message: string, next: readonly string[] = [], options?: ErrorOptions) {
    super(message, options);
    this.next = next;
  }
}

/** The command was called in a way that it does not understand: exit code 2. */
export class UsageError extends CliError {
  override readonly name = 'UsageError';
}
