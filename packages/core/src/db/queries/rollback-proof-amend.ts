import type { Client } from '../pool.ts';

/** Takes ids of erased events out of the examples in proofs of rollbacks. @returns in how many */
export async function amendRollbackProofs(client: Client, batchId: string): Promise<number> {
  const { rowCount } = await client.query(
    `update analytics.backfill_rollbacks r
        set snapshot = jsonb_set(r.snapshot, '{since_examples}',
              coalesce((select jsonb_agg(e) from jsonb_array_elements_text(r.snapshot -> 'since_examples') e
                         where e not in (select event_id from pg_temp.erased_event)), '[]'))
      where r.batch_id = $1
        and exists (select 1 from jsonb_array_elements_text(r.snapshot -> 'since_examples') e
                      join pg_temp.erased_event x on x.event_id = e)`,
    [batchId],
  );
  return rowCount ?? 0;
}
