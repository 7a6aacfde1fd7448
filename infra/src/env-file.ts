import { readFileSync } from 'node:fs';

const SAFE = /^[A-Za-z0-9_/:@%+=.,-]*$/;
const LINE = /^([A-Z_][A-Z0-9_]*)=(.*)$/;

/** The text of an environment file: `KEY=value` lines that a POSIX shell can source. */
export function formatEnvFile(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([key, value]) => `${key}=${quote(key, value)}\n`)
    .join('');
}

/** Reads the lines that formatEnvFile writes; ignores empty lines and comments. */
export function parseEnvFile(text: string): Record<string, string> {
  const values: Record<string, string> = {};
  for (const line of text.split('\n')) {
    const [, key, value] = LINE.exec(line) ?? [];
    if (key !== undefined && value !== undefined) values[key] = unquote(value);
  }
  return values;
}

/** The environment of a stack that is up, or undefined when there is no such file. */
export function readEnvFile(file: string): Record<string, string> | undefined {
  try {
    return parseEnvFile(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function quote(key: string, value: string): string {
  if (value.includes('\n')) throw new Error(`${key} has a line break, which no env file can hold`);
  return SAFE.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`;
}

function unquote(value: string): string {
  return value.replaceAll(/'([^']*)'|\\(.)/g, (_match, quoted?: string, escaped?: string) => quoted ?? escaped ?? '');
}
