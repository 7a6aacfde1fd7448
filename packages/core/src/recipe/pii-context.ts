import type { SourceConfig } from '../config/source.ts';
import { DETECTOR_NAMES, type DetectorName } from '../domain/detector-name.ts';
import type { TextMask } from './detectors/mask-personal-data.ts';
import { compileIdentifierCheck, compileTextMask } from './detectors/mask-personal-data.ts';
import type { KeyRing } from './key-ring.ts';
import { compilePseudonymise, type Pseudonymise } from './pseudonymise.ts';
import type { Recipe } from './recipe.ts';

/** Is told what the privacy rules do; fields are JSON pointers into the event, never values. */
export interface PiiObserver {
  /** A detector found something in a field. */
  hit(field: string, detector: DetectorName): void;
  /** A field that the taxonomy lists as dropped was there. */
  dropped(field: string): void;
  /** So many fields of a record are not in the taxonomy. Their names are whatever somebody wrote. */
  unknown(fields: number): void;
}

/** What a source's privacy rules work with. */
export interface PiiContext {
  pseudonymise: Pseudonymise;
  maskText: TextMask;
  isPersonalIdentifier(id: string): boolean;
  /** What a find in a `scan` field does. */
  onFind: 'mask' | 'drop' | 'quarantine';
  observer: PiiObserver | undefined;
  /** Why the line at hand must be quarantined; set by a rule, read and cleared per line. */
  refusal: string | undefined;
}

/** Compiles what all fields of a recipe share. */
export function createPiiContext(recipe: Recipe, keys: KeyRing, observer?: PiiObserver): PiiContext {
  const { pii, pseudonym }: SourceConfig = recipe.source;
  const detectors = pii?.detectors ?? DETECTOR_NAMES;
  const isPersonalIdentifier = compileIdentifierCheck(detectors);
  return {
    pseudonymise: compilePseudonymise(pseudonym, { periods: recipe.keyPeriods, keys, isPersonalIdentifier }),
    maskText: compileTextMask(detectors),
    isPersonalIdentifier,
    onFind: pii?.scan ?? 'mask',
    observer,
    refusal: undefined,
  };
}
