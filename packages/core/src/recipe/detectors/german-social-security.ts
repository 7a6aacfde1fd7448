import type { Detector } from './detector.ts';
import { DIGITS_HINT } from './digits.ts';

const SEPARATOR = String.raw`[ \u00a0\u202f./-]?`;
/** Area, date of birth, first letter of the name at birth, serial number with check digit. */
const NUMBER = new RegExp(
  String.raw`(?<![\p{L}\d])\d\d${SEPARATOR}\d\d${SEPARATOR}\d\d${SEPARATOR}\d\d${SEPARATOR}[A-Za-z]${SEPARATOR}\d\d${SEPARATOR}\d(?![\p{L}\d])`,
  'gu',
);
const WEIGHTS = [2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1];

/** German social security numbers (Rentenversicherungsnummer, VKVV), such as `65 180539 W 001`, by their check digit. */
export const germanSocialSecurity: Detector = {
  name: 'german-social-security',
  hint: DIGITS_HINT,
  judgesIdentifiers: true,
  mask: (text) => text.replace(NUMBER, (number) => (hasCheckDigit(number) ? '[social-security]' : number)),
};

/** § 2 VKVV: the letter counts as its place in the alphabet in two digits; sums of digits of weighted digits. */
function hasCheckDigit(number: string): boolean {
  const plain = number.replace(/[^\dA-Za-z]/g, '').toUpperCase();
  const letter = String(plain.charCodeAt(8) - 64).padStart(2, '0');
  const digits = plain.slice(0, 8) + letter + plain.slice(9, 11);
  const sum = WEIGHTS.reduce((total, weight, place) => {
    const product = weight * Number(digits[place]);
    return total + Math.floor(product / 10) + (product % 10);
  }, 0);
  return sum % 10 === Number(plain[11]);
}
