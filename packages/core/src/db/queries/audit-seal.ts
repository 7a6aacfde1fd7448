import type { SealedEntry } from '../../domain/audit-chain.ts';
import type { Queryable } from '../pool.ts';

/** Writes the entries' places in the chain. @returns how many were unsealed until now. */
export async function sealAuditEntries(db: Queryable, entries: readonly SealedEntry[]): Promise<number> {
  const { rowCount } = await db.query(
    `update analytics.backfill_audit_log l set chain_no = s.chain_no, mac = s.mac
       from unnest($1::bigint[], $2::bigint[], $3::text[]) as s (audit_id, chain_no, mac)
      where l.audit_id = s.audit_id and l.chain_no is null`,
    [entries.map(({ audit_id }) => audit_id), entries.map(({ chain_no }) => chain_no), entries.map(({ mac }) => mac)],
  );
  return rowCount ?? 0;
}
