import type { HaltWorld } from './halt-world.ts';

/** What of a batch is done and must never be done again. */
export interface Progress {
  /** Part → what the ledger says about it. */
  parts: ReadonlyMap<number, { ledger: string; imported: string | null; key: string | null }>;
  /** Sealed plans, mirrored files and finished chunks, with their times. */
  milestones: readonly string[];
  /** Requests to the object store so far. */
  requests: number;
}

/** Reads what is done by now. */
export async function readProgress({ sql, s3 }: HaltWorld): Promise<Progress> {
  const { rows: parts } = await sql.query<{ id: number; ledger: string; imported: string | null; key: string | null }>(
    `select part_id::int as id, object_key as key, imported_at::text as imported,
            concat_ws(' ', chunk_id, part_no, first_line, line_count, object_sha256, created_at) as ledger
       from analytics.backfill_import_parts`,
  );
  const { rows: milestones } = await sql.query<{ milestone: string }>(
    `select concat_ws(' ', 'plan', plan_hash, planned_at) as milestone from analytics.backfill_plans
     union all select concat_ws(' ', 'file', file_no, mirrored_at) from analytics.backfill_files
                where mirrored_at is not null
     union all select concat_ws(' ', 'chunk', chunk_id, done_at) from analytics.backfill_raw_chunks where state = 'done'`,
  );
  return {
    parts: new Map(parts.map(({ id, ...part }) => [id, part])),
    milestones: milestones.map(({ milestone }) => milestone),
    requests: s3.requests.length,
  };
}

/** What was done once and is not any more, or was done again since. */
export function findRepeats(before: Progress, after: Progress, { s3, env }: HaltWorld): string[] {
  const found: string[] = [];
  for (const milestone of before.milestones) {
    if (!after.milestones.includes(milestone)) found.push(`gone or done again: ${milestone}`);
  }
  const written = new Set(s3.requests.slice(before.requests).filter((request) => request.startsWith('PUT ')));
  for (const [id, part] of before.parts) {
    const now = after.parts.get(id);
    if (now?.ledger !== part.ledger) found.push(`part ${id} was ${part.ledger} and is ${now?.ledger}`);
    if (part.imported !== null && now?.imported !== part.imported) found.push(`part ${id} was imported again`);
    if (written.has(`PUT /${env.BACKFILL_ARCHIVE_BUCKET}/${part.key}`)) found.push(`part ${id} was transformed again`);
  }
  return found;
}
