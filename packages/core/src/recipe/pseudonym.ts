import { createHmac, type KeyObject } from 'node:crypto';
import { remember } from './remember.ts';

const UNIT_SEPARATOR = '\u001f';
const PSEUDONYM_BYTES = 16;
const KEY_CHECK_TEXT = 'backfill key check';

/** The version of the key that pseudonymises an event of this time (ms). There is one for now. */
export function keyVersionAt(_eventTsMs: number): number {
  return 1;
}

/**
 * `p<key version>_<base64url of the first 16 bytes of HMAC-SHA-256(salt, domain ‖ 0x1f ‖ id)>`.
 * The id must be well-formed text: a lone surrogate would be hashed like any other one.
 */
export function pseudonym(salt: KeyObject, keyVersion: number, domain: string, id: string): string {
  const digest = createHmac('sha256', salt)
    .update(domain + UNIT_SEPARATOR + id)
    .digest();
  return `p${keyVersion}_${digest.toString('base64url', 0, PSEUDONYM_BYTES)}`;
}

/**
 * A value that tells one key from another and reveals nothing of either; pinned in the recipe.
 * No pseudonym can equal it, because its text has no separator.
 */
export function keyCheck(salt: KeyObject): string {
  const digest = createHmac('sha256', salt).update(KEY_CHECK_TEXT).digest();
  return digest.toString('base64url', 0, PSEUDONYM_BYTES);
}

const CACHE_SIZE = 20_000;

/** Pseudonyms under a key, remembering recent ones in bounded memory. */
export function cachedPseudonymise(salt: KeyObject): (domain: string, id: string, eventTsMs: number) => string {
  const caches = new Map<string, (id: string) => string>();
  return (domain, id, eventTsMs) => {
    const keyVersion = keyVersionAt(eventTsMs);
    const cacheName = `${keyVersion} ${domain}`;
    let cached = caches.get(cacheName);
    if (cached === undefined) {
      cached = remember(CACHE_SIZE, (text) => pseudonym(salt, keyVersion, domain, text));
      caches.set(cacheName, cached);
    }
    return cached(id);
  };
}
