import type { Detector } from './detector.ts';
import { email } from './email.ts';
import { ipv4 } from './ipv4.ts';
import { ipv6 } from './ipv6.ts';

/** In this order: an address inside an e-mail's domain goes with the e-mail. */
const DETECTORS: readonly Detector[] = [email, ipv6, ipv4];

/** Without one of these no detector can find anything. */
const HINT = /[@%＠]|\d\.\d|:[0-9A-Fa-f]{0,4}:/;
const PERCENT_ENCODED = /%[0-9A-Fa-f]{2}/;
const PERCENT_RUN = /(?:%[0-9A-Fa-f]{2})+/g;
/** Text that was encoded more often than this was not meant to be read. */
const MAX_DECODINGS = 3;

/**
 * Free text with e-mail and IP addresses replaced by `[email]` and `[ip]`. Percent-encoded text
 * is looked at decoded as well, and is returned decoded if something was found in it.
 */
export function maskPersonalData(text: string): string {
  if (!HINT.test(text)) return text;
  let masked = maskPlain(text);
  let current = masked;
  for (let round = 0; round < MAX_DECODINGS && PERCENT_ENCODED.test(current); round++) {
    const decoded = current.replace(PERCENT_RUN, decodePercentRun);
    current = maskPlain(decoded);
    if (current !== decoded) masked = current;
  }
  return masked;
}

/** True if the text holds something that `maskPersonalData` would replace. */
export function hasPersonalData(text: string): boolean {
  return maskPersonalData(text) !== text;
}

function maskPlain(text: string): string {
  let masked = text;
  for (const detector of DETECTORS) masked = detector.mask(masked);
  return masked;
}

function decodePercentRun(run: string): string {
  return Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8');
}
