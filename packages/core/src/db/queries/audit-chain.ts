import type { Queryable } from '../pool.ts';

/** Where the audit log's chain ends, and how far it is anchored. */
export interface AuditChainRow {
  /** Null until a service has brought the first key. */
  key_check: string | null;
  /** Of the last sealed entry; 0 when there is none. */
  chain_no: number;
  /** Of the last sealed entry; null when there is none. */
  mac: string | null;
  sealed_at: Date | null;
  /** The last entry that a head has to cover. */
  anchor_no: number;
  /** The last entry that a head stands at. */
  anchored_no: number;
}

const COLUMNS = 'key_check, chain_no, mac, sealed_at, anchor_no, anchored_no';

/** False before the first service has made the schema. */
export async function hasAuditChain(db: Queryable): Promise<boolean> {
  const { rows } = await db.query<{ found: boolean }>(
    `select to_regclass('analytics.backfill_audit_chain') is not null as found`,
  );
  return rows[0]?.found ?? false;
}

/** Undefined when the row is gone, which nothing does that belongs here. */
export async function getAuditChain(db: Queryable): Promise<AuditChainRow | undefined> {
  const { rows } = await db.query<AuditChainRow>(`select ${COLUMNS} from analytics.backfill_audit_chain`);
  return rows[0];
}

/** The end of the chain, for this transaction alone: sealers wait for each other here, and nobody else does. */
export async function lockAuditChain(db: Queryable): Promise<AuditChainRow | undefined> {
  const { rows } = await db.query<AuditChainRow>(`select ${COLUMNS} from analytics.backfill_audit_chain for update`);
  return rows[0];
}

/**
 * Makes the key the chain's, if it has none yet.
 *
 * @returns the check value of the chain's key
 */
export async function adoptAuditKey(db: Queryable, keyCheck: string): Promise<string | undefined> {
  await db.query('update analytics.backfill_audit_chain set key_check = $1 where key_check is null', [keyCheck]);
  return (await getAuditChain(db))?.key_check ?? undefined;
}

/** Moves the end of the locked chain, which a head has to cover now. @returns when it was sealed */
export async function setAuditChainEnd(db: Queryable, end: { chainNo: number; mac: string }): Promise<Date> {
  const { rows } = await db.query<{ sealed_at: Date }>(
    `update analytics.backfill_audit_chain
        set chain_no = $1, mac = $2, anchor_no = $1, sealed_at = date_trunc('milliseconds', clock_timestamp())
     returning sealed_at`,
    [end.chainNo, end.mac],
  );
  return (rows[0] as { sealed_at: Date }).sealed_at;
}

/** Notes that a head stands at the entry. */
export async function setAuditAnchored(db: Queryable, chainNo: number): Promise<void> {
  await db.query('update analytics.backfill_audit_chain set anchored_no = $1 where anchored_no < $1', [chainNo]);
}

/** True when there is something to seal or to anchor. */
export async function isAuditWorkDue(db: Queryable): Promise<boolean> {
  const { rows } = await db.query<{ due: boolean }>(
    `select exists (select 1 from analytics.backfill_audit_log where chain_no is null)
         or exists (select 1 from analytics.backfill_audit_chain where anchor_no > anchored_no) as due`,
  );
  return rows[0]?.due ?? false;
}
