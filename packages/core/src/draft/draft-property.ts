import { isIP } from 'node:net';
import type { JsonObject } from '../domain/json.ts';
import { hasPersonalData } from '../recipe/detectors/mask-personal-data.ts';
import { type FieldStats, valuesOf } from './field-stats.ts';

/** A drafted property: its schema, and what a person has to decide about it. */
export interface PropertyDraft {
  schema: JsonObject;
  /** Undefined where there is no doubt. */
  doubt: string | undefined;
}

/** Names of what says something about a person, whatever its values look like. */
const PERSONAL_NAME =
  /name|mail|phone|tel|mobile|fax|addr|street|city|zip|postal|plz|birth|dob|age$|gender|sex|ssn|tax|iban|card|account|salary|income|lat|lon|geo|location|ip$|user|person|customer|device|token|secret|password|cookie|auth|session|(?:^|[_.$-])id$|uuid|hash|key/i;
const CAMEL_ID = /[a-z](?:Id|ID)$/;
const WORD = /^[A-Za-z][A-Za-z0-9_./-]{0,31}$/;
const LARGEST_HARMLESS = 1_000_000;
const MIN_REPEATS = 5;
const MAX_WORDS = 20;

/**
 * Drafts the schema of a property from what was seen. Only what is harmless beyond doubt is kept: truth values, small
 * numbers and a few words that come again and again, under a name that promises nothing personal. The rest is dropped.
 */
export function draftProperty(field: FieldStats): PropertyDraft {
  const type = draftType(field);
  const doubt = findDoubt(field);
  return { schema: { ...type, 'x-pii': doubt === undefined ? 'none' : 'drop' }, doubt };
}

function draftType({ kinds, maxLength, minimum, maximum }: FieldStats): JsonObject {
  if (isOnly(kinds, 'boolean')) return { type: 'boolean' };
  if (isOnly(kinds, 'integer'))
    return { type: 'integer', minimum: minimum < 0 ? -roundUp(-minimum) : 0, maximum: roundUp(maximum) };
  if (kinds.size > 0 && [...kinds].every((kind) => kind === 'integer' || kind === 'number')) {
    return { type: 'number', minimum: minimum < 0 ? -roundUp(-minimum) : 0, maximum: roundUp(maximum) };
  }
  if (isOnly(kinds, 'array')) return { type: 'array', maxItems: 100, items: { type: 'string', maxLength: 256 } };
  return { type: 'string', maxLength: 2 ** Math.ceil(Math.log2(Math.max(16, maxLength * 2))) };
}

/** The next power of ten that leaves room, within what JSON numbers carry exactly. */
function roundUp(value: number): number {
  const room = 10 ** Math.ceil(Math.log10(Math.max(10, Math.abs(value) * 10)));
  return Math.min(Number.MAX_SAFE_INTEGER, room);
}

function findDoubt(field: FieldStats): string | undefined {
  const { kinds, path, values, present } = field;
  if (kinds.size !== 1 && !isOnlyNumbers(kinds)) return 'has values of several types';
  if (isOnly(kinds, 'array') || isOnly(kinds, 'object')) return 'is a list: say what is in it';
  if (isOnly(kinds, 'string')) {
    const known = knownText(valuesOf(field).map(String));
    if (known !== undefined) return known;
  }
  if (PERSONAL_NAME.test(path) || CAMEL_ID.test(path)) return 'may be personal by its name';
  if (isOnly(kinds, 'boolean')) return undefined;
  if (isOnlyNumbers(kinds)) {
    const isSmall = field.minimum >= -LARGEST_HARMLESS && field.maximum <= LARGEST_HARMLESS;
    return isSmall ? undefined : 'has large numbers, which may tell persons apart';
  }
  const areWords = values.size <= MAX_WORDS && valuesOf(field).every((value) => WORD.test(String(value)));
  return areWords && present >= values.size * MIN_REPEATS ? undefined : 'is text: none if it is harmless, else scan';
}

/** What a text is, and the rule that would fit it. */
function knownText(texts: readonly string[]): string | undefined {
  if (texts.some((text) => isIP(text) !== 0)) return 'looks like an IP address: ip-mask would fit';
  if (texts.some((text) => /^Mozilla\/\d|^[a-z-]+\/\d+\.\d/i.test(text)))
    return 'looks like a user agent: user-agent would fit';
  if (texts.some((text) => /^[a-z][a-z0-9+.-]*:\/\/|^\/\S*$/i.test(text))) return 'looks like a URL: url would fit';
  if (texts.some(hasPersonalData)) return 'holds addresses: drop, or scan';
  return undefined;
}

function isOnly(kinds: ReadonlySet<string>, kind: string): boolean {
  return kinds.size === 1 && kinds.has(kind);
}

function isOnlyNumbers(kinds: ReadonlySet<string>): boolean {
  return kinds.size > 0 && [...kinds].every((kind) => kind === 'integer' || kind === 'number');
}
