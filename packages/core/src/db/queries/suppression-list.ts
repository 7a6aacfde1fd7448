import type { Queryable } from '../pool.ts';

/** Pseudonyms of the people whose events must not be stored. */
export async function listSuppressedSubjects(db: Queryable): Promise<string[]> {
  const { rows } = await db.query<{ subject_id: string }>(
    'select subject_id from analytics.privacy_suppressions where effective_from <= greatest(now(), recorded_at)',
  );
  return rows.map((row) => row.subject_id);
}
