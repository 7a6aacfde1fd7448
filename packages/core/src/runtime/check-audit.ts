import type { KeyObject } from 'node:crypto';
import type { Pool } from '../db/pool.ts';
import { type AuditChainRow, adoptAuditKey, getAuditChain, hasAuditChain } from '../db/queries/audit-chain.ts';
import { findLateEntries, readSealedEntries } from '../db/queries/audit-entry-list.ts';
import { auditKeyCheck, firstPreviousMac, isHeadGenuine, type SealedEntry, sealMac } from '../domain/audit-chain.ts';
import { findChainProblem, type KnownHead } from '../domain/find-chain-problem.ts';
import type { Finding } from '../domain/finding.ts';
import { FatalError } from '../errors.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { formatFindings } from '../text/format-findings.ts';
import {
  anchorFindings,
  badHeadFinding,
  CHAIN_END,
  chainFindings,
  lateFindings,
  missingKeyFinding,
  otherKeyFinding,
} from './audit-findings.ts';
import { type ArchivedHead, readAuditHeads } from './read-audit-heads.ts';

/** Entries that wait for longer than this are not about to be sealed. */
const LATE_AFTER_SECONDS = 60;

/**
 * Sees to it that this process has the key of the audit log; the first one becomes it.
 *
 * @throws {FatalError} saying what to do, without a key or with another one.
 */
export async function requireAuditKey(pool: Pool, key: KeyObject | undefined): Promise<void> {
  const finding = key === undefined ? missingKeyFinding() : await findOtherKey(pool, key);
  if (finding !== undefined) throw new FatalError(formatFindings('audit log', [finding]).join('\n'));
}

async function findOtherKey(pool: Pool, key: KeyObject): Promise<Finding | undefined> {
  const check = auditKeyCheck(key);
  return (await adoptAuditKey(pool, check)) === check ? undefined : otherKeyFinding();
}

interface JudgedHeads {
  known: (KnownHead & { isAnchor: boolean })[];
  findings: Finding[];
}

function judgeHeads(key: KeyObject, archived: readonly ArchivedHead[]): JudgedHeads {
  const check = auditKeyCheck(key);
  const known: JudgedHeads['known'] = [];
  const findings: Finding[] = [];
  for (const { where, isAnchor, head } of archived) {
    if (head === undefined) findings.push(badHeadFinding(where, 'it is not the head of an audit log'));
    else if (isHeadGenuine(key, head)) known.push({ chain_no: head.chain_no, mac: head.mac, where, isAnchor });
    else if (head.key_check === check) findings.push(badHeadFinding(where, 'it was changed since it was anchored'));
    else findings.push(badHeadFinding(where, 'it was made with another key than AUDIT_KEY_FILE holds'));
  }
  return { known, findings };
}

/** True when something that only the chain's key can make was made with this one. */
async function isChainKey(pool: Pool, key: KeyObject, chain: AuditChainRow | undefined, known: readonly KnownHead[]) {
  if (chain?.key_check == null || chain.key_check === auditKeyCheck(key) || known.length > 0) return true;
  for await (const first of readSealedEntries(pool, 1)) {
    return sealMac(key, firstPreviousMac(key), first) === first.mac;
  }
  return false;
}

/** A log that is not there. */
async function* noEntries(): AsyncGenerator<SealedEntry> {
  yield* [];
}

/**
 * Verifies the whole audit log against its chain and the heads in the archive, a page of it in memory at a time.
 *
 * @returns what is wrong: of the log itself the first thing only, since nothing behind it can be trusted.
 */
export async function findAuditProblems(
  pool: Pool,
  store: ObjectStore,
  archiveBucket: string,
  key: KeyObject | undefined,
): Promise<Finding[]> {
  const isThere = await hasAuditChain(pool);
  const late = isThere ? lateFindings(await findLateEntries(pool, LATE_AFTER_SECONDS)) : [];
  if (key === undefined) return [missingKeyFinding(), ...late];
  // Before the log: whatever they cover is in it then.
  const chain = isThere ? await getAuditChain(pool) : undefined;
  const { known, findings } = judgeHeads(key, await readAuditHeads(store, archiveBucket));
  if (!isThere && known.length === 0) return findings;
  if (!(await isChainKey(pool, key, chain, known))) return [otherKeyFinding(), ...late];
  const end = chain?.mac == null ? [] : [{ chain_no: chain.chain_no, mac: chain.mac, where: CHAIN_END }];
  const entries = isThere ? readSealedEntries(pool) : noEntries();
  const { problem } = await findChainProblem(key, entries, [...known, ...end]);
  const anchors = known.filter(({ isAnchor }) => isAnchor);
  return [...chainFindings(problem), ...anchorFindings(chain, auditKeyCheck(key), anchors), ...findings, ...late];
}
