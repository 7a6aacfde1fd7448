import { createHash, createHmac, type KeyObject } from 'node:crypto';
import { compileHmac } from './hmac-sha256.ts';

const UNIT_SEPARATOR = '\u001f';
const PSEUDONYM_BYTES = 16;
const KEY_CHECK_TEXT = 'backfill key check';

/**
 * Compiles `p<key version>_<base64url of the first 16 bytes of HMAC-SHA-256(salt, domain ‖ 0x1f ‖ id)>`.
 * The id must be well-formed text: a lone surrogate would be hashed like any other one.
 */
export function compilePseudonym(salt: KeyObject, keyVersion: number, domain: string): (id: string) => string {
  const hmac = compileHmac(salt);
  const start = domain + UNIT_SEPARATOR;
  return (id) => `p${keyVersion}_${hmac(start + id).toString('base64url', 0, PSEUDONYM_BYTES)}`;
}

/** One pseudonym, see {@link compilePseudonym}. */
export function pseudonym(salt: KeyObject, keyVersion: number, domain: string, id: string): string {
  return compilePseudonym(salt, keyVersion, domain)(id);
}

/**
 * Lower-case hex of SHA-256(UTF-8 bytes of the id ‖ bytes of the salt), all 64 digits: what
 * `sha256(id || salt)` gives in most warehouses. Neither domain nor key version is in it, because
 * it must equal what exists.
 */
export function saltSuffixPseudonym(salt: Buffer, id: string): string {
  return createHash('sha256').update(id, 'utf8').update(salt).digest('hex');
}

/**
 * A value that tells one key from another and reveals nothing of either; pinned in the recipe.
 * No pseudonym can equal it, because its text has no separator.
 */
export function keyCheck(salt: KeyObject): string {
  const digest = createHmac('sha256', salt).update(KEY_CHECK_TEXT).digest();
  return digest.toString('base64url', 0, PSEUDONYM_BYTES);
}
