import { createHash, createHmac, type KeyObject } from 'node:crypto';

const UNIT_SEPARATOR = '\u001f';
const PSEUDONYM_BYTES = 16;
const KEY_CHECK_TEXT = 'backfill key check';

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
