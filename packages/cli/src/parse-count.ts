import { InvalidArgumentError } from 'commander';

/** Reads a whole number above 0 from an option, for commander to refuse others. */
export function parseCount(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It is not a whole number above 0.');
}
