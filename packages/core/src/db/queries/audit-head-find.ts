import type { Queryable } from '../pool.ts';

/** True when this database's own audit log has the entry that a head stands for. */
export async function hasAuditHead(db: Queryable, head: { chain_no: number; mac: string }): Promise<boolean> {
  const { rowCount } = await db.query(
    'select 1 from analytics.backfill_audit_log where chain_no = $1 and mac = $2 limit 1',
    [head.chain_no, head.mac],
  );
  return rowCount === 1;
}
