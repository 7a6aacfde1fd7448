/** The demo did not show what it must show. The message is for the person at the terminal. */
export class DemoError extends Error {
  override readonly name = 'DemoError';
}
