import type { Detector } from './detector.ts';
import { DIGITS_HINT } from './digits.ts';

/** Lengths by country, from the SWIFT registry of IBANs (ISO 13616). */
const LENGTHS: ReadonlyMap<string, number> = new Map(
  Object.entries({
    15: 'NO',
    16: 'BE',
    18: 'DK FI FK FO GL NL SD',
    19: 'MK SI',
    20: 'AT BA EE KZ LT LU MN XK',
    21: 'CH HR LI LV',
    22: 'BG BH CR DE GB GE IE ME RS VA',
    23: 'AE GI IL IQ OM SO TL',
    24: 'AD CZ DZ ES MD PK RO SA SE SK TN VG',
    25: 'AO CV GW LY MZ PT ST',
    26: 'IR IS TR',
    27: 'BF BI BJ CF CG CI CM DJ FR GA GF GP GQ GR IT KM MC MG ML MQ MR NC NE PF PM RE SM SN TD TF TG WF YT',
    28: 'AL AZ BY CY DO GT HN HU LB MA NI PL SV',
    29: 'BR EG PS QA UA',
    30: 'JO KW MU YE',
    31: 'MT SC',
    32: 'LC',
    33: 'RU',
  }).flatMap(([length, countries]) =>
    countries.split(' ').map((country): [string, number] => [country, Number(length)]),
  ),
);

/** Country and check digits; the word IBAN may stand right before. */
const BEGINNING = /(?<![\p{L}\d])(IBAN)?([A-Z]{2})[ \u00a0\u202f.-]?(?=\d[ \u00a0\u202f.-]?\d)/giu;
const SIGN = /[\dA-Za-z]/;
const SEPARATOR = /[ \u00a0\u202f.-]/;

/** International bank account numbers, grouped or not, by their country's length and their check digits. */
export const iban: Detector = {
  name: 'iban',
  hint: DIGITS_HINT,
  judgesIdentifiers: true,
  mask(text) {
    let masked = '';
    let keptFrom = 0;
    for (const match of text.matchAll(BEGINNING)) {
      const [, label = '', country = ''] = match;
      const start = match.index + label.length;
      const length = LENGTHS.get(country.toUpperCase());
      if (length === undefined || start < keptFrom) continue;
      const end = endOf(text, start, length);
      if (end === undefined) continue;
      masked += `${text.slice(keptFrom, start)}[iban]`;
      keptFrom = end;
    }
    return keptFrom === 0 ? text : masked + text.slice(keptFrom);
  },
};

/** Where an IBAN of this length that begins at `start` ends; undefined if there is none. */
function endOf(text: string, start: number, length: number): number | undefined {
  let signs = '';
  let at = start;
  while (signs.length < length) {
    const character = text[at] ?? '';
    if (SIGN.test(character)) signs += character;
    else if (!SEPARATOR.test(character) || SEPARATOR.test(text[at - 1] ?? ' ')) return undefined;
    at++;
  }
  return SIGN.test(text[at] ?? '') || !hasCheckDigits(signs) ? undefined : at;
}

/** ISO 7064, MOD 97-10, over the number with its first four signs moved to the end and letters as 10 to 35. */
function hasCheckDigits(signs: string): boolean {
  let remainder = 0;
  for (const sign of signs.slice(4) + signs.slice(0, 4)) {
    const value = Number.parseInt(sign, 36);
    remainder = (remainder * (value > 9 ? 100 : 10) + value) % 97;
  }
  return remainder === 1;
}
