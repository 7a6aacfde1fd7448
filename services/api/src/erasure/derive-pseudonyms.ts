import { hash } from 'node:crypto';
import { hasStoredSubject, listPlannedSubjects } from '@backfill/core/db/queries/subject-scheme-list';
import { hasPseudonymForm, subjectPseudonyms, subjectScheme } from '@backfill/core/erasure/subject-pseudonyms';
import type { KeyRing } from '@backfill/core/recipe/key-ring';
import type { ApiContext } from '../context.ts';

/** Every pseudonym that a clear id has or had, under all keys, by the sources of today and of all plans. */
export async function derivePseudonyms(context: ApiContext, keys: KeyRing, subject: string): Promise<string[]> {
  const { pool } = context;
  const { sources } = await context.loadConfig();
  const configured = [...sources.values()].map((source) => ({ source: source.source, scheme: subjectScheme(source) }));
  const planned = (await listPlannedSubjects(pool)).map(({ source, pseudonym, subject_id }) => ({
    source,
    scheme: subjectScheme({ pseudonym, mapping: { subject_id: subject_id ?? undefined } }),
  }));
  const known = [...configured, ...planned].flatMap(({ source, scheme }) =>
    scheme === undefined ? [] : [{ source, scheme }],
  );
  const passing = known.filter(({ scheme }) => scheme.mode === 'passthrough').map(({ source }) => source);
  const isStored =
    passing.length > 0 &&
    !hasPseudonymForm(subject) &&
    (await hasStoredSubject(pool, passing, hash('sha256', subject, 'hex')));
  return subjectPseudonyms(
    known.map(({ scheme }) => scheme),
    keys,
    subject,
    isStored,
  );
}
