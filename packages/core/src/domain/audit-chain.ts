import { createHmac, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { canonicalJson } from './canonical-json.ts';

/** What is written into the audit log: its columns but for the seal's own. Both texts as PostgreSQL writes them. */
export interface AuditEntry {
  audit_id: number;
  /** UTC, with microseconds. */
  at: string;
  actor: string;
  batch_id: string | null;
  action: string;
  /** A JSON object, as text: numbers in it may be longer than JavaScript's. */
  detail: string;
}

/** An entry with its place in the chain. */
export interface SealedEntry extends AuditEntry {
  /** 1 for the first one, without gaps. */
  chain_no: number;
  /** Lower-case hex. */
  mac: string;
}

/** Where a chain ends: whoever knows a head knows all that is before it. */
export interface AuditHead {
  chain_no: number;
  mac: string;
  /** RFC 3339. */
  sealed_at: string;
}

const hex = z.string().regex(/^[0-9a-f]{64}$/);

/** A head as it leaves the database, with the proof that somebody with the key has made it. */
export const AnchoredHead = z.object({
  version: z.literal(1),
  chain_no: z.int().min(1),
  mac: hex,
  sealed_at: z.iso.datetime(),
  key_check: hex,
  proof: hex,
});
export type AnchoredHead = z.infer<typeof AnchoredHead>;

function hmac(key: KeyObject, text: string): string {
  return createHmac('sha256', key).update(text).digest('hex');
}

// What is authenticated begins with a MAC where it is an entry, else with one of these words, so that nothing that is
// meant as one thing can be taken for another.
const FIRST = 'backfill audit chain 1';
const KEY_CHECK = 'backfill audit key check';
const HEAD = 'backfill audit head ';

/** What stands in for the MAC of the entry before the first one. */
export function firstPreviousMac(key: KeyObject): string {
  return hmac(key, FIRST);
}

/** Tells the key from another one, and nothing about it. */
export function auditKeyCheck(key: KeyObject): string {
  return hmac(key, KEY_CHECK);
}

/**
 * HMAC-SHA-256 over the MAC of the entry before it, as 64 hex digits, and the entry as canonical JSON (RFC 8785). The
 * number is not in it: it follows from the place.
 */
export function sealMac(key: KeyObject, previousMac: string, entry: AuditEntry): string {
  const { audit_id, at, actor, batch_id, action, detail } = entry;
  return hmac(key, previousMac + canonicalJson({ audit_id, at, actor, batch_id, action, detail }));
}

/** Gives entries their places behind the given end of the chain. */
export function sealEntries(
  key: KeyObject,
  end: { chain_no: number; mac: string },
  entries: readonly AuditEntry[],
): SealedEntry[] {
  let { chain_no, mac } = end;
  return entries.map((entry) => {
    chain_no += 1;
    mac = sealMac(key, mac, entry);
    return { ...entry, chain_no, mac };
  });
}

function headProof(key: KeyObject, { chain_no, mac, sealed_at, key_check }: Omit<AnchoredHead, 'proof'>): string {
  return hmac(key, HEAD + canonicalJson({ chain_no, mac, sealed_at, key_check }));
}

/** Makes a head fit to leave the database. The same head gives the same bytes. */
export function signHead(key: KeyObject, { chain_no, mac, sealed_at }: AuditHead): AnchoredHead {
  const head = { version: 1 as const, chain_no, mac, sealed_at, key_check: auditKeyCheck(key) };
  return { ...head, proof: headProof(key, head) };
}

/** True when somebody with the key has made the head. */
export function isHeadGenuine(key: KeyObject, head: AnchoredHead): boolean {
  return headProof(key, head) === head.proof;
}
