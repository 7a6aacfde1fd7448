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
import { hasAuditHead } from '../db/queries/audit-head-find.ts';
import { sealAuditEntries } from '../db/queries/audit-seal.ts';
import { withTransaction } from '../db/transaction.ts';
import {
  type AnchoredHead,
  type AuditHead,
  auditKeyCheck,
  firstPreviousMac,
  sealEntries,
  signHead,
} from '../domain/audit-chain.ts';
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
  /** Called for each sealed entry that was found to be gone. */
  onLost(): void;
}

/** Entries that were sealed in one transaction, and where the chain ended then; undefined when there were none. */
interface Sealed {
  entries: number;
  head: AuditHead | undefined;
}

/** @throws {FatalError} when the chain has another key. */
async function sealSome(pool: Pool, key: KeyObject): Promise<Sealed> {
  return withTransaction(pool, ACTOR, async (client) => {
    const chain = await lockAuditChain(client);
    if (chain?.key_check !== auditKeyCheck(key))
      throw new FatalError('the audit log has another key than this service');
    // In a statement after the lock, so that it sees what the sealer before has sealed.
    const entries = await listUnsealedEntries(client, SEAL_AT_ONCE);
    const end = { chain_no: chain.chain_no, mac: chain.mac ?? firstPreviousMac(key) };
    const sealed = sealEntries(key, end, entries);
    const last = sealed.at(-1);
    if (last === undefined) return { entries: 0, head: undefined };
    const written = await sealAuditEntries(client, sealed);
    if (written !== sealed.length) throw new FatalError('entries of the audit log were sealed by somebody else');
    const { chain_no, mac } = last;
    const sealedAt = await setAuditChainEnd(client, { chainNo: chain_no, mac });
    crashPoint('seal:written');
    return { entries: sealed.length, head: { chain_no, mac, sealed_at: sealedAt.toISOString() } };
  });
}

/** @returns where the chain ended then; undefined when there was nothing to seal. */
async function sealAll(pool: Pool, key: KeyObject): Promise<AuditHead | undefined> {
  let end: AuditHead | undefined;
  for (let round = 0; round < MOST_TRANSACTIONS; round += 1) {
    const { entries, head } = await sealSome(pool, key);
    end = head ?? end;
    if (entries < SEAL_AT_ONCE) break;
  }
  return end;
}

function headOf(key: KeyObject, chain: AuditChainRow | undefined): AnchoredHead | null {
  if (chain === undefined || chain.mac === null || chain.sealed_at === null) return null;
  return signHead(key, { chain_no: chain.chain_no, mac: chain.mac, sealed_at: chain.sealed_at.toISOString() });
}

async function putHead({ store, archiveBucket }: SealerOptions, head: AnchoredHead): Promise<void> {
  const body = Buffer.from(`${JSON.stringify(head)}\n`);
  await store.put(archiveBucket, archiveLayout.auditHead(head.chain_no, head.mac), body, 'application/json');
}

/** Writes the head into the archive, when one is due. The object first: a crash in between repeats the same bytes. */
async function anchor(options: SealerOptions, key: KeyObject): Promise<void> {
  const { pool } = options;
  const chain = await getAuditChain(pool);
  const head = headOf(key, chain);
  if (chain === undefined || head === null || chain.anchor_no <= chain.anchored_no) return;
  await putHead(options, head);
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
  /** Where the chain ended when this process sealed last: nobody who has the database can change that. */
  let remembered: AuditHead | undefined;

  /** What was remembered and is gone: the archive has to know of it. */
  let lost: AuditHead | undefined;

  /** Looks whether the log still has the last entry that this process has sealed. */
  async function lookBack(): Promise<void> {
    const end = remembered;
    if (end === undefined || (await hasAuditHead(pool, end))) return;
    logger.error({ chain_no: end.chain_no, mac: end.mac }, 'the audit log has lost an entry: run backfill doctor');
    options.onLost();
    lost = end;
    remembered = undefined;
  }

  async function attempt(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      logger.warn({ error: describeError(error) }, `the audit log cannot be ${what}`);
    }
  }

  async function anchorNow(sealingKey: KeyObject): Promise<void> {
    await attempt('anchored', async () => {
      if (lost !== undefined) await putHead(options, signHead(sealingKey, lost));
      lost = undefined;
      await anchor(options, sealingKey);
    });
    anchoring = undefined;
  }

  async function run(sealingKey: KeyObject): Promise<void> {
    await attempt('sealed', async () => {
      await lookBack();
      if (lost === undefined && !(await isAuditWorkDue(pool))) return;
      remembered = (await sealAll(pool, sealingKey)) ?? remembered;
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
      remembered = (await sealAll(pool, key)) ?? remembered;
      return headOf(key, await getAuditChain(pool));
    },
  };
}
