import type { KeyObject } from 'node:crypto';
import { firstPreviousMac, type SealedEntry, sealMac } from './audit-chain.ts';

/** A head that the chain must have passed, and who says so. */
export interface KnownHead {
  chain_no: number;
  mac: string;
  /** For people: `s3://bucket/key`. */
  where: string;
}

/** The first thing that is wrong with a chain. Numbers are those of the chain; ids are the log's `audit_id`. */
export type ChainProblem =
  /** The entry is not what was sealed there. */
  | { kind: 'changed'; chainNo: number; auditId: number }
  /** These numbers are gone from within. */
  | { kind: 'removed'; first: number; last: number; nextAuditId: number }
  /** The entry was put there by somebody without the key. */
  | { kind: 'inserted'; chainNo: number; auditId: number }
  /** The entry is genuine, but belongs further back; what belongs here, if it is still there. */
  | { kind: 'reordered'; chainNo: number; auditId: number; rightfulAuditId: number | undefined }
  /** These numbers are gone from the end, as a head knows. */
  | { kind: 'cut-off'; first: number; last: number; where: string }
  /** All fits together, but is not what a head says: made anew by somebody with the key, after the last one that agrees. */
  | { kind: 'rewritten'; chainNo: number; auditId: number; agreedNo: number; where: string };

/**
 * Says what is wrong with an entry that does not follow from the one before it, by what comes after it.
 *
 * @param previousMac of the entry before it
 */
async function diagnose(
  key: KeyObject,
  previousMac: string,
  wrong: SealedEntry,
  rest: AsyncIterable<SealedEntry>,
  heads: readonly KnownHead[],
): Promise<ChainProblem> {
  const { chain_no: chainNo, audit_id: auditId } = wrong;
  const numberAt = new Map(heads.map((head) => [head.mac, head.chain_no]));
  /** By how much later entries were renumbered, as a head knows. */
  let shift = (numberAt.get(wrong.mac) ?? chainNo) - chainNo;
  let rightful: SealedEntry | undefined;
  let belongsLater = false;
  for await (const entry of rest) {
    if (rightful === undefined && sealMac(key, previousMac, entry) === entry.mac) rightful = entry;
    belongsLater ||= sealMac(key, entry.mac, wrong) === wrong.mac;
    if (shift === 0) shift = (numberAt.get(entry.mac) ?? entry.chain_no) - entry.chain_no;
  }
  if (belongsLater) return { kind: 'reordered', chainNo, auditId, rightfulAuditId: rightful?.audit_id };
  if (rightful !== undefined) return { kind: 'inserted', chainNo, auditId };
  if (shift > 0) return { kind: 'removed', first: chainNo, last: chainNo + shift - 1, nextAuditId: auditId };
  return { kind: 'changed', chainNo, auditId };
}

/** Heads in the order of the chain, to be taken as it goes by. */
function queueHeads(heads: readonly KnownHead[]) {
  const sorted = heads.toSorted((a, b) => a.chain_no - b.chain_no);
  let next = 0;
  return {
    /** Those at the number. */
    at(chainNo: number): KnownHead[] {
      const found: KnownHead[] = [];
      for (let head = sorted[next]; head !== undefined && head.chain_no <= chainNo; head = sorted[next]) {
        if (head.chain_no === chainNo) found.push(head);
        next += 1;
      }
      return found;
    },
    last: () => sorted.at(-1),
  };
}

/**
 * Follows a chain from its first entry on, and holds it against the heads that are known. Pure but for its input, and in
 * memory that does not grow with the chain.
 *
 * @param entries all sealed ones in the order of their numbers; those whose number is no longer one first
 * @returns how many entries are as they were sealed, and the first problem, if there is one
 */
export async function findChainProblem(
  key: KeyObject,
  entries: AsyncIterable<SealedEntry>,
  heads: readonly KnownHead[],
): Promise<{ intact: number; problem: ChainProblem | undefined }> {
  const ahead = queueHeads(heads);
  let intact = 0;
  let agreedNo = 0;
  let previousMac = firstPreviousMac(key);
  // Not a for-of: what is left of it goes to the diagnosis.
  const iterator = entries[Symbol.asyncIterator]();
  const rest: AsyncIterable<SealedEntry> = { [Symbol.asyncIterator]: () => iterator };
  for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
    const entry = next.value;
    const { chain_no: chainNo, audit_id: auditId } = entry;
    const expected = intact + 1;
    if (chainNo < expected) return { intact, problem: { kind: 'inserted', chainNo, auditId } };
    if (chainNo > expected) {
      return { intact, problem: { kind: 'removed', first: expected, last: chainNo - 1, nextAuditId: auditId } };
    }
    if (sealMac(key, previousMac, entry) !== entry.mac) {
      return { intact, problem: await diagnose(key, previousMac, entry, rest, heads) };
    }
    for (const { mac, where } of ahead.at(chainNo)) {
      if (mac !== entry.mac) return { intact, problem: { kind: 'rewritten', chainNo, auditId, agreedNo, where } };
      agreedNo = chainNo;
    }
    intact = chainNo;
    previousMac = entry.mac;
  }
  const last = ahead.last();
  if (last === undefined || last.chain_no <= intact) return { intact, problem: undefined };
  return { intact, problem: { kind: 'cut-off', first: intact + 1, last: last.chain_no, where: last.where } };
}
