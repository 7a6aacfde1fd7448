import type { KeyObject } from 'node:crypto';
import { crashPoint } from '../crash-point.ts';
import type { Pool } from '../db/pool.ts';
import {
  type AuditChainRow,
  getAuditChain,
  isAuditWorkDue,
  lockAuditChain,
  setAuditAnchored,
  setAuditChainEnd,
} from '../db/queries/audit-chain.ts';
import { listUnsealedEntries } from '../db/queries/audit-entry-list.ts';
import { sealAuditEntries } from '../db/queries/audit-seal.ts';
import { withTransaction } from '../db/transaction.ts';
import { nextAnchorNo } from '../domain/audit-anchors.ts';
import { type AnchoredHead, auditKeyCheck, firstPreviousMac, sealEntries, signHead } from '../domain/audit-chain.ts';
import { describeError, FatalError } from '../errors.ts';
import type { Logger } from '../observability/logger.ts';
import { archiveLayout } from '../storage/layout.ts';
import type { ObjectStore } from '../storage/object-store.ts';

const ACTOR = 'sealer';
/** Entries of one transaction. */
const SEAL_AT_ONCE = 500;
/** Transactions of one round; what is left waits for the next. */
const MOST_TRANSACTIONS = 1_000;

/** Gives the entries of the audit log their places in its chain, and anchors the chain's head in the archive. */
export interface AuditSealer {
  /** Begins a round, unless one is under way. Does not wait for it. */
  kick(): void;
  /** Resolves when no round is under way. */
  rest(): Promise<void>;
  /** Seals what is committed. @returns the head of the chain then, or null when there is no entry. */
  seal(): Promise<AnchoredHead | null>;
}

interface SealerOptions {
  pool: Pool;
  store: ObjectStore;
  archiveBucket: string;
  key: KeyObject | undefined;
  logger: Logger;
}

/** @returns how many entries were sealed. @throws {FatalError} when the chain has another key. */
async function sealSome(pool: Pool, key: KeyObject): Promise<number> {
  return withTransaction(pool, ACTOR, async (client) => {
    const chain = await lockAuditChain(client);
    if (chain?.key_check !== auditKeyCheck(key))
      throw new FatalError('the audit log has another key than this service');
    // In a statement after the lock, so that it sees what the sealer before has sealed.
    const entries = await listUnsealedEntries(client, SEAL_AT_ONCE);
    const end = { chain_no: chain.chain_no, mac: chain.mac ?? firstPreviousMac(key) };
    const sealed = sealEntries(key, end, entries);
    const last = sealed.at(-1);
    if (last === undefined) return 0;
    const written = await sealAuditEntries(client, sealed);
    if (written !== sealed.length) throw new FatalError('entries of the audit log were sealed by somebody else');
    await setAuditChainEnd(client, {
      chainNo: last.chain_no,
      mac: last.mac,
      anchorNo: nextAnchorNo(chain.anchor_no, sealed),
    });
    crashPoint('seal:written');
    return sealed.length;
  });
}

async function sealAll(pool: Pool, key: KeyObject): Promise<void> {
  for (let round = 0; round < MOST_TRANSACTIONS; round += 1) {
    if ((await sealSome(pool, key)) < SEAL_AT_ONCE) return;
  }
}

function headOf(key: KeyObject, chain: AuditChainRow | undefined): AnchoredHead | null {
  if (chain === undefined || chain.mac === null || chain.sealed_at === null) return null;
  return signHead(key, { chain_no: chain.chain_no, mac: chain.mac, sealed_at: chain.sealed_at.toISOString() });
}

/** Writes the head into the archive, when one is due. The object first: a crash in between repeats the same bytes. */
async function anchor({ pool, store, archiveBucket }: SealerOptions, key: KeyObject): Promise<void> {
  const chain = await getAuditChain(pool);
  const head = headOf(key, chain);
  if (chain === undefined || head === null || chain.anchor_no <= chain.anchored_no) return;
  const body = Buffer.from(`${JSON.stringify(head)}\n`);
  await store.put(archiveBucket, archiveLayout.auditHead(head.chain_no, head.mac), body, 'application/json');
  crashPoint('seal:anchored');
  await setAuditAnchored(pool, head.chain_no);
}

/**
 * Builds the sealer, which the dispatcher in office drives. It works beside it, on connections of the pool; any number may
 * work at once. Sealing needs PostgreSQL only, anchoring the archive too; what fails is repeated with the next round.
 */
export function createAuditSealer(options: SealerOptions): AuditSealer {
  const { pool, key, logger } = options;
  let sealing: Promise<void> | undefined;
  let anchoring: Promise<void> | undefined;

  async function attempt(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      logger.warn({ error: describeError(error) }, `the audit log cannot be ${what}`);
    }
  }

  async function anchorNow(sealingKey: KeyObject): Promise<void> {
    await attempt('anchored', () => anchor(options, sealingKey));
    anchoring = undefined;
  }

  async function run(sealingKey: KeyObject): Promise<void> {
    await attempt('sealed', async () => {
      if (!(await isAuditWorkDue(pool))) return;
      await sealAll(pool, sealingKey);
      crashPoint('seal:sealed');
      // On its own: an archive that does not answer does not hold up the seals.
      anchoring ??= anchorNow(sealingKey);
    });
    sealing = undefined;
  }

  return {
    kick() {
      if (key !== undefined) sealing ??= run(key);
    },
    async rest() {
      await sealing;
      await anchoring;
    },
    async seal() {
      if (key === undefined) return null;
      await sealAll(pool, key);
      return headOf(key, await getAuditChain(pool));
    },
  };
}
