import type { PseudonymMode, SourceConfig } from '../config/source.ts';
import { DETECTOR_NAMES } from '../domain/detector-name.ts';
import { compileIdentifierCheck } from '../recipe/detectors/mask-personal-data.ts';
import type { KeyRing } from '../recipe/key-ring.ts';
import { opaqueId } from '../recipe/opaque-id.ts';
import { pseudonym, saltSuffixPseudonym } from '../recipe/pseudonym.ts';

/** How a source makes pseudonyms of its people. */
export interface SubjectScheme {
  mode: PseudonymMode;
  domain: string;
}

/** The part of a source that says whose a record is. */
type SubjectSource = Pick<SourceConfig, 'pseudonym'> & { mapping: Pick<SourceConfig['mapping'], 'subject_id'> };

/** Whose scheme a source has; undefined where its records are nobody's. Ids that are kept as they are pass through. */
export function subjectScheme({ pseudonym: mode, mapping }: SubjectSource): SubjectScheme | undefined {
  const { subject_id: subject } = mapping;
  if (subject === undefined) return undefined;
  return subject.pii === 'pseudonymise' ? { mode, domain: subject.domain } : { mode: 'passthrough', domain: '' };
}

/** The pseudonyms of an id under a scheme, one for each key that there is. None for an id that the scheme refuses. */
export function pseudonymsUnder({ mode, domain }: SubjectScheme, keys: KeyRing, id: string): string[] {
  if (mode === 'passthrough') return opaqueId(id) !== undefined && !isPersonal(id) ? [id] : [];
  return [...keys].map(([version, key]) =>
    mode === 'hmac' ? pseudonym(key, version, domain, id) : saltSuffixPseudonym(key.export(), id),
  );
}

const isPersonal = compileIdentifierCheck(DETECTOR_NAMES);
/** Of no source: theirs have a name. */
const STAND_IN_DOMAIN = '';
/** What `pseudonymsUnder` makes. */
const PSEUDONYM = /^(?:p\d{1,6}_[A-Za-z0-9_-]{22}|[0-9a-f]{64})$/;

/** True for a text that has the form of a pseudonym, so that it is no clear id. */
export function hasPseudonymForm(id: string): boolean {
  return PSEUDONYM.test(id);
}

/**
 * What stands for an id that sources may pass through, and that must not be kept as long as none is known to have stored
 * it: by these an erasure is found again. One for each key; none where no source would pass the id through.
 */
function standIns(schemes: readonly SubjectScheme[], keys: KeyRing, id: string): string[] {
  const passes = schemes.some(
    (scheme) => scheme.mode === 'passthrough' && pseudonymsUnder(scheme, keys, id).length > 0,
  );
  return passes ? pseudonymsUnder({ mode: 'hmac', domain: STAND_IN_DOMAIN }, keys, id) : [];
}

/**
 * Every pseudonym that an id can have, sorted.
 *
 * @param isStoredAsItIs whether a source that passes ids through has stored this one. Only then, or where it has the form of
 *   a pseudonym, the id itself is one: elsewhere it would be a clear id that is kept.
 */
export function subjectPseudonyms(
  schemes: readonly SubjectScheme[],
  keys: KeyRing,
  id: string,
  isStoredAsItIs: boolean,
): string[] {
  const keepsId = isStoredAsItIs || hasPseudonymForm(id);
  const found = schemes
    .filter(({ mode }) => mode !== 'passthrough' || keepsId)
    .flatMap((scheme) => pseudonymsUnder(scheme, keys, id));
  // A pseudonym that was submitted is its person's, whatever made it.
  return [...new Set(hasPseudonymForm(id) ? [id, ...found] : [...found, ...standIns(schemes, keys, id)])].sort();
}
