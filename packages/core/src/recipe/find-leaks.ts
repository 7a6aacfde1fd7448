import type { DetectorName } from '../domain/detector-name.ts';
import { isJsonObject, type JsonValue } from '../domain/json.ts';
import { maskIp } from '../domain/mask-ip.ts';
import { tryParseJson } from '../domain/try-json.ts';
import { compileTextMask } from './detectors/mask-personal-data.ts';
import type { Recipe } from './recipe.ts';

/** Personal data in a stored event: where it stands (a JSON pointer into the payload), and what it looks like. */
export interface Leak {
  path: string;
  detector: DetectorName;
}

/** The detectors that hardly ever take something else for personal data; the others are for masking alone. */
const CERTAIN: readonly DetectorName[] = ['jwt', 'email', 'api-token', 'iban', 'ipv6', 'ipv4', 'card'];
/** What the pseudonym modes make (see pseudonymise.ts), and ids without a meaning. */
const PSEUDONYM = /^(?:p\d{1,9}_[\w-]{22}|[0-9a-f]{64}|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})$/i;
const PREFIX_LENGTH = /\/(?:24|48)$/;
/** Names that the taxonomy allows; any other one may be somebody's. */
const KNOWN_NAME = /^[a-z][a-z0-9_]{0,62}$/;

/**
 * Compiles a search of stored payloads for personal data: every text in them, whatever rule it went through. Shares the
 * detectors with the transformer, and nothing of what decides where they look. A source that left a detector out, because
 * its own ids look like finds, is not searched with it.
 */
export function compileLeakFinder(recipe: Pick<Recipe, 'source'>): (payload: string) => Leak[] {
  const chosen = recipe.source.pii?.detectors;
  const mask = compileTextMask(CERTAIN.filter((name) => chosen === undefined || chosen.includes(name)));
  return (payload) => {
    const leaks: Leak[] = [];
    for (const { path, text } of textsOf(tryParseJson(payload) ?? payload, '')) {
      if (!isHarmless(text)) mask(text, (detector) => leaks.push({ path, detector }));
    }
    return leaks;
  };
}

/** Every text in a value, names included that the taxonomy cannot have allowed, with where it stands. */
function* textsOf(value: JsonValue, path: string): Generator<{ path: string; text: string }> {
  if (typeof value === 'string') yield { path, text: value };
  if (Array.isArray(value)) for (const item of value) yield* textsOf(item, `${path}/*`);
  if (!isJsonObject(value)) return;
  for (const [name, item] of Object.entries(value)) {
    const isKnown = KNOWN_NAME.test(name);
    if (!isKnown) yield { path: `${path}/*`, text: name };
    yield* textsOf(item, `${path}/${isKnown ? name : '*'}`);
  }
}

/** Pseudonyms, and addresses that are cut to their networks. */
function isHarmless(text: string): boolean {
  if (PSEUDONYM.test(text)) return true;
  const network = text.replace(PREFIX_LENGTH, '');
  return maskIp(network) === network;
}
