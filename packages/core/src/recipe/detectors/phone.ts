import type { Detector } from './detector.ts';
import { DIGITS_HINT } from './digits.ts';

const GAP = String.raw`[ \u00a0\u202f()./–-]{0,3}`;
/** Not in the middle of a number, a decimal fraction or a date. */
const BEFORE = String.raw`(?<![\p{L}\p{N}_])(?<!\p{N}[.,:+–-])`;
const AFTER = String.raw`(?![\p{L}\p{N}_])`;

const FORMS = [
  // International (ITU-T E.164): + or 00, a country code, seven to fifteen digits in all.
  String.raw`(?<!\d)(?:\+|＋|00)${GAP}[1-9](?:${GAP}\d){6,14}(?!\d)`,
  // German mobile numbers whose + was lost.
  String.raw`${BEFORE}491[5-7]\d{8,9}${AFTER}`,
  // National, as in most of Europe: a trunk 0, an area code, and the number.
  String.raw`${BEFORE}\(?0[1-9]\d{1,4}\)?(?:${GAP}\d){5,9}${AFTER}`,
  // French pairs.
  String.raw`${BEFORE}0[1-9](?:[ .-]\d\d){4}${AFTER}`,
  // North American.
  String.raw`${BEFORE}(?:1[ .-])?\(?[2-9]\d\d\)?[ .-]{1,2}\d{3}[ .-]\d{4}${AFTER}`,
];
const NUMBERS = FORMS.map((form) => new RegExp(form, 'gu'));

/** Telephone numbers that say so by their form: international, or national with a trunk 0 or in groups of three. */
export const phone: Detector = {
  name: 'phone',
  hint: DIGITS_HINT,
  judgesIdentifiers: true,
  mask: (text) => NUMBERS.reduce((masked, number) => masked.replace(number, '[phone]'), text),
};
