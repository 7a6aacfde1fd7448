import type { Detector } from './detector.ts';
import { DIGITS_HINT, replaceNumbers } from './digits.ts';

/**
 * German tax identification numbers (Steuer-ID, § 139b AO): eleven digits, of which the last is a
 * check digit. One in ten numbers of eleven digits passes, which free text can bear.
 */
export const germanTaxId: Detector = {
  name: 'german-tax-id',
  hint: DIGITS_HINT,
  judgesIdentifiers: false,
  mask: (text) => replaceNumbers(text, OPTIONS),
};

const OPTIONS = {
  minDigits: 11,
  maxDigits: 11,
  replacement: '[tax-id]',
  isFind: hasCheckDigit,
  notAfterPlus: true,
};

/** ISO 7064, MOD 11,10. */
function hasCheckDigit(digits: string): boolean {
  let product = 10;
  for (const digit of digits.slice(0, -1)) {
    const sum = (Number(digit) + product) % 10 || 10;
    product = (sum * 2) % 11;
  }
  return (11 - product) % 10 === Number(digits.at(-1));
}
