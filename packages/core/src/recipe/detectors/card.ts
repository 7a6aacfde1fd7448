import type { Detector } from './detector.ts';
import { DIGITS_HINT, replaceNumbers } from './digits.ts';

/** First digits and lengths of the card networks (ISO/IEC 7812 issuer identification numbers). */
const NETWORKS: readonly (readonly [prefix: RegExp, lengths: readonly number[]])[] = [
  [/^4/, [13, 16, 19]],
  [/^(?:5[1-5]|22[2-9]|2[3-6]|27[01]|2720)/, [16]],
  [/^3[47]/, [15]],
  [/^(?:30[0-59]|3[689])/, [14, 16, 19]],
  [/^(?:6011|64[4-9]|65)/, [16, 19]],
  [/^35(?:2[89]|[3-8])/, [16, 17, 18, 19]],
  [/^62/, [16, 17, 18, 19]],
  [/^(?:50|5[6-9]|6)/, [12, 13, 14, 15, 16, 17, 18, 19]],
];

/** Numbers of payment cards: a network's first digits and length, and the check digit of Luhn. */
export const card: Detector = {
  name: 'card',
  hint: DIGITS_HINT,
  judgesIdentifiers: true,
  mask: (text) => replaceNumbers(text, { minDigits: 12, maxDigits: 19, replacement: '[card]', isFind: isCardNumber }),
};

function isCardNumber(digits: string): boolean {
  return isOfNetwork(digits) && luhnSum(digits) % 10 === 0;
}

function isOfNetwork(digits: string): boolean {
  return NETWORKS.some(([prefix, lengths]) => lengths.includes(digits.length) && prefix.test(digits));
}

/** ISO/IEC 7812-1, annex B: every second digit from the right is doubled, and the digits added. */
function luhnSum(digits: string): number {
  let sum = 0;
  for (let place = 0; place < digits.length; place++) {
    const digit = Number(digits[digits.length - 1 - place]);
    const doubled = place % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum;
}
