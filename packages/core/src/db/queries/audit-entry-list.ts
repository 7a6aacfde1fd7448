import type { AuditEntry, SealedEntry } from '../../domain/audit-chain.ts';
import type { Queryable } from '../pool.ts';

/**
 * What is sealed: every column but the seal's own. As text where JavaScript would lose something: microseconds, and
 * digits of numbers in the detail. Neither depends on a setting of the session.
 */
const ENTRY = `audit_id, to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at, actor, batch_id, action,
               detail::text as detail`;

/** Committed entries without a place in the chain, in the order in which they get theirs. */
export async function listUnsealedEntries(db: Queryable, limit: number): Promise<AuditEntry[]> {
  const { rows } = await db.query<AuditEntry>(
    `select ${ENTRY} from analytics.backfill_audit_log where chain_no is null order by audit_id limit $1`,
    [limit],
  );
  return rows;
}

/** How many entries have waited for their seal for longer than that, and the first of them. */
export async function findLateEntries(
  db: Queryable,
  seconds: number,
): Promise<{ entries: number; first_id: number | null; first_at: Date | null }> {
  const { rows } = await db.query<{ entries: number; first_id: number | null; first_at: Date | null }>(
    `select count(*) as entries, min(audit_id) as first_id, min(at) as first_at from analytics.backfill_audit_log
      where chain_no is null and at < clock_timestamp() - $1 * interval '1 second'`,
    [seconds],
  );
  return rows[0] ?? { entries: 0, first_id: null, first_at: null };
}

/**
 * All sealed entries in the order of their numbers, a page in memory at a time. Numbers below 1 come first, and equal ones
 * all come: neither can be, unless somebody has changed the log.
 */
export async function* readSealedEntries(db: Queryable, pageSize = 2_000): AsyncGenerator<SealedEntry> {
  let after: [number, number] = [Number.MIN_SAFE_INTEGER, 0];
  for (;;) {
    const { rows } = await db.query<SealedEntry>(
      `select chain_no, mac, ${ENTRY} from analytics.backfill_audit_log
        where chain_no is not null and (chain_no, audit_id) > ($1, $2) order by chain_no, audit_id limit $3`,
      [...after, pageSize],
    );
    yield* rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < pageSize) return;
    after = [last.chain_no, last.audit_id];
  }
}
