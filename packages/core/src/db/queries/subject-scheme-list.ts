import type { SourceConfig } from '../../config/source.ts';
import type { Queryable } from '../pool.ts';

/** How a source that was planned said whose its records are. */
export interface PlannedSubjects {
  source: string;
  pseudonym: SourceConfig['pseudonym'];
  subject_id: SourceConfig['mapping']['subject_id'] | null;
}

/** How the sources of all plans that there ever were said so. */
export async function listPlannedSubjects(db: Queryable): Promise<PlannedSubjects[]> {
  const { rows } = await db.query<PlannedSubjects>(
    `select distinct s ->> 'source' as source, s ->> 'pseudonym' as pseudonym, s #> '{mapping,subject_id}' as subject_id
       from (select plan #> '{recipe,source}' as s from analytics.backfill_plans) p where s ->> 'pseudonym' is not null`,
  );
  return rows;
}

/**
 * True when one of some sources has stored an event of a person under an id, or the id itself is suppressed already.
 *
 * @param sha256 of the id, lower-case hex: the id itself must not come into the database's own log
 */
export async function hasStoredSubject(db: Queryable, sources: readonly string[], sha256: string): Promise<boolean> {
  const { rows } = await db.query<{ found: boolean }>(
    `select exists (select 1 from analytics.events_log where source = any ($1) and subject_id is not null
                       and encode(sha256(convert_to(subject_id, 'UTF8')), 'hex') = $2)
         or exists (select 1 from analytics.privacy_suppressions
                     where encode(sha256(convert_to(subject_id, 'UTF8')), 'hex') = $2)
         or exists (select 1 from analytics.events_backfill_staging where source = any ($1) and subject_id is not null
                       and encode(sha256(convert_to(subject_id, 'UTF8')), 'hex') = $2) as found`,
    [sources, sha256],
  );
  return rows[0]?.found ?? false;
}
