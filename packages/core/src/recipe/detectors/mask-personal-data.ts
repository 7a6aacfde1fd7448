import { DETECTOR_NAMES, type DetectorName } from '../../domain/detector-name.ts';
import type { Detector } from './detector.ts';
import { DETECTORS } from './detectors.ts';
import { mayHoldPersonalData } from './may-hold-personal-data.ts';

/** Text with every find replaced; tells which detectors found something, if asked. */
export type TextMask = (text: string, onHit?: (detector: DetectorName) => void) => string;

const PERCENT_ENCODED = /%[0-9A-Fa-f]{2}/;
const PERCENT_RUN = /(?:%[0-9A-Fa-f]{2})+/g;
/** Text that was encoded more often than this was not meant to be read. */
const MAX_DECODINGS = 3;
/** Full-width and other compatibility forms, and signs without a width, lie beyond this. */
const UNUSUAL = /[^\0-\u02ff]/;
const WITHOUT_WIDTH = /[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]/g;

/**
 * Compiles a search for some kinds of personal data. Text is looked at as it is, percent-decoded,
 * and in Unicode's compatibility form (NFKC) without signs that nobody sees; it is returned in
 * the form in which something was found, else unchanged. In linear time.
 */
export function compileTextMask(names: readonly DetectorName[]): TextMask {
  const detectors = DETECTORS.filter(({ name }) => names.includes(name));
  const hints = [PERCENT_ENCODED, UNUSUAL, ...detectors.map(({ hint }) => hint)].map(({ source }) => source);
  const anyHint = new RegExp([...new Set(hints)].join('|'));
  return (text, onHit) => {
    if (!mayHoldPersonalData(text) || !anyHint.test(text)) return text;
    let masked = maskPlain(detectors, text, onHit);
    let current = masked;
    for (let round = 0; round < MAX_DECODINGS && PERCENT_ENCODED.test(current); round++) {
      const decoded = current.replace(PERCENT_RUN, decodePercentRun);
      current = maskPlain(detectors, decoded, onHit);
      if (current !== decoded) masked = current;
    }
    if (!UNUSUAL.test(current)) return masked;
    const folded = current.replace(WITHOUT_WIDTH, '').normalize('NFKC');
    const foldedMasked = maskPlain(detectors, folded, onHit);
    return foldedMasked === folded ? masked : foldedMasked;
  };
}

/** True if any detector finds something in the text. */
export function hasPersonalData(text: string): boolean {
  return maskEverything(text) !== text;
}

const maskEverything = compileTextMask(DETECTOR_NAMES);
const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/** Compiles what tells an identifier from something that names a person all the same, such as an e-mail address. */
export function compileIdentifierCheck(names: readonly DetectorName[]): (id: string) => boolean {
  const judges = DETECTORS.filter(({ name, judgesIdentifiers }) => judgesIdentifiers && names.includes(name));
  const mask = compileTextMask(judges.map(({ name }) => name));
  return (id) => !UUID.test(id) && mask(id) !== id;
}

function maskPlain(detectors: readonly Detector[], text: string, onHit?: (detector: DetectorName) => void): string {
  let current = text;
  for (const { name, hint, mask } of detectors) {
    if (!hint.test(current)) continue;
    const masked = mask(current);
    if (masked !== current) onHit?.(name);
    current = masked;
  }
  return current;
}

function decodePercentRun(run: string): string {
  return Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8');
}
