import { z } from 'zod';

/** Key version → secret. */
export type Salts = ReadonlyMap<number, Buffer>;

const VERSION = /^[1-9]\d{0,5}$/;
const VERSION_LINE = /^([1-9]\d{0,5}):\s*(\S.*)$/;
const secretMap = z.record(z.string().regex(VERSION), z.string().min(1));

/**
 * `analytics_salt` in any of its forms: a JSON object (`{"1": "…", "2": "…"}`), lines of
 * `version: secret` (empty lines and lines that begin with `#` do not count), or one secret,
 * which is version 1. The key is the secret's UTF-8 text without the white space around it.
 *
 * @throws RangeError, without any of the text, when it begins like a map or like lines and is none
 */
export function parseSalts(text: string): Salts {
  const trimmed = text.trim();
  if (trimmed.startsWith('{')) return parseMap(trimmed);
  const lines = trimmed
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  const versions = lines.map((line) => VERSION_LINE.exec(line));
  if (versions.every((match) => match === null)) return new Map([[1, Buffer.from(trimmed, 'utf8')]]);
  const salts = new Map<number, Buffer>();
  for (const [index, match] of versions.entries()) {
    if (match === null) throw new RangeError(`line ${index + 1} is not of the form "version: secret"`);
    const version = Number(match[1]);
    if (salts.has(version)) throw new RangeError(`names version ${version} twice`);
    salts.set(version, Buffer.from(match[2] ?? '', 'utf8'));
  }
  return salts;
}

function parseMap(text: string): Salts {
  const parsed = secretMap.safeParse(parseJson(text));
  if (!parsed.success) throw new RangeError('is not a JSON object of versions and secrets');
  return new Map(
    Object.entries(parsed.data).map(([version, secret]) => [Number(version), Buffer.from(secret, 'utf8')]),
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
