import type { Queryable } from '@backfill/core/db/pool';
import { isReplaced, replacedValues } from '@backfill/core/db/queries/replaced-rows';
import type { Replaces } from '@backfill/core/domain/replacement';
import type { Recipe } from '@backfill/core/recipe/recipe';

const MAX_EXAMPLES = 5;

/**
 * Ids that would be live twice: in live rows of the window as they are (in whatever partition they lie: what counts is
 * the time in the id), and between those that are not replaced and the rows to publish. The same id at the same time is overlap: the publish
 * leaves it out, as the unique index makes it.
 */
export const REPEATED_IDS_SQL = `
  with live as (
    select event_id, event_ts, ${isReplaced('$4', '$5', '$6', '$7')} as is_replaced from analytics.events_log e
     where deleted_at is null and event_id >= $2 and event_id < $3
  ), repeated as (
    select event_id from live group by event_id having count(*) > 1
    union
    select p.event_id
      from analytics.backfill_rows_to_publish p join live l on l.event_id = p.event_id and l.event_ts <> p.event_ts
     where p.batch_id = $1 and not l.is_replaced
  )
  select count(*) as ids, (array_agg(event_id order by event_id))[1:${MAX_EXAMPLES}] as examples from repeated`;

export interface RepeatedIds {
  ids: number;
  examples: string[];
}

/** Finds ids that are, or after the publish would be, live more than once. */
export async function findRepeatedIds(
  db: Queryable,
  batchId: string,
  { source, window }: Pick<Recipe, 'source' | 'window'>,
  replaces: Replaces | undefined,
): Promise<RepeatedIds> {
  // An id begins with the source and the event's time, so that those of a window lie side by side in the index.
  const bound = (ms: number) => `${source.source}:${new Date(ms).toISOString().replace(/\D/g, '')}`;
  const replaced = replacedValues({ source: source.source, ...window, replaces });
  const values = [batchId, bound(window.startMs), bound(window.endMs), ...replaced];
  const { rows } = await db.query<{ ids: number; examples: string[] | null }>(REPEATED_IDS_SQL, values);
  return { ids: rows[0]?.ids ?? 0, examples: rows[0]?.examples ?? [] };
}
