import type { KeyObject } from 'node:crypto';
import type { PseudonymMode } from '../config/source.ts';
import { type KeyPeriod, type KeyRing, keyVersionAt } from './key-ring.ts';
import { opaqueId } from './opaque-id.ts';
import { compilePseudonym, saltSuffixPseudonym } from './pseudonym.ts';
import { remember } from './remember.ts';

/**
 * Replaces a raw identifier by its pseudonym in a domain, with the key of the event's time (ms).
 * Undefined for what a source passes through although it is no pseudonym.
 */
export type Pseudonymise = (domain: string, id: string, eventTsMs: number) => string | undefined;

/** What the pseudonym modes work with. */
export interface PseudonymOptions {
  /** In order of time. */
  periods: readonly KeyPeriod[];
  keys: KeyRing;
  isPersonalIdentifier(id: string): boolean;
}

const CACHE_SIZE = 20_000;

/**
 * Compiles a source's pseudonym mode. Remembers recent pseudonyms, in bounded memory.
 *
 * @throws RangeError (from the compiled function) when the ring lacks the key of an event's time
 */
export function compilePseudonymise(
  mode: PseudonymMode,
  { periods, keys, isPersonalIdentifier }: PseudonymOptions,
): Pseudonymise {
  if (mode === 'passthrough') {
    return (_domain, id) => (opaqueId(id) !== undefined && !isPersonalIdentifier(id) ? id : undefined);
  }
  const byDomain = new Map<string, ByVersion>();
  return (domain, id, eventTsMs) => {
    const version = keyVersionAt(periods, eventTsMs);
    let byVersion = byDomain.get(domain);
    if (byVersion === undefined) {
      byVersion = new Map();
      byDomain.set(domain, byVersion);
    }
    let cached = byVersion.get(version);
    if (cached === undefined) {
      cached = remember(CACHE_SIZE, compileKey(mode, version, keyOf(keys, version), domain));
      byVersion.set(version, cached);
    }
    return cached(id);
  };
}

/** Pseudonyms of one domain, by key version. */
type ByVersion = Map<number, (id: string) => string>;

function compileKey(
  mode: Exclude<PseudonymMode, 'passthrough'>,
  version: number,
  key: KeyObject,
  domain: string,
): (id: string) => string {
  if (mode === 'hmac') return compilePseudonym(key, version, domain);
  const salt = key.export();
  return (id) => saltSuffixPseudonym(salt, id);
}

function keyOf(keys: KeyRing, version: number): KeyObject {
  const key = keys.get(version);
  if (key === undefined) throw new RangeError(`analytics_salt has no key version ${version}`);
  return key;
}
