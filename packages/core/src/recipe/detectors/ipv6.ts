import { isIPv6 } from 'node:net';
import type { Detector } from './detector.ts';

/** Longest text form: six groups and an IPv4 address. */
const MAX_LENGTH = 45;
/** Two colons with at most one group between them: every IPv6 address has that. */
const HINT = /:[0-9A-Fa-f]{0,4}:/;
const RUN = /[0-9A-Fa-f:.]+/g;
const WORD_CHARACTER = /[0-9A-Za-z]/;
/** How every address begins: with a group and a colon, or with two colons and a group. */
const BEGINNING = /^(?:[0-9A-Fa-f]{1,4}:|::[0-9A-Fa-f])/;
/** A lone group (`::1`, or the `d::` of other notations) names no host of a person. */
const TWO_GROUPS = /[0-9A-Fa-f]:+[0-9A-Fa-f]/;

/** IPv6 addresses, also after a label such as `ip:`. */
export const ipv6: Detector = {
  name: 'ipv6',
  hint: HINT,
  judgesIdentifiers: true,
  mask: (text) => (HINT.test(text) ? text.replace(RUN, maskRun) : text),
};

/** Looks for the longest address from each place in a run where one may begin. */
function maskRun(run: string, offset: number, text: string): string {
  if (!HINT.test(run)) return run;
  let masked = '';
  let start = 0;
  while (start < run.length) {
    const length = isWordCharacter(text[offset + start - 1])
      ? 0
      : addressLength(run.slice(start, start + MAX_LENGTH), text, offset + start);
    masked += length > 0 ? '[ip]' : run[start];
    start += Math.max(length, 1);
  }
  return masked;
}

/** Length of the longest address that the piece begins with and that ends at a boundary; 0 if none. */
function addressLength(piece: string, text: string, offset: number): number {
  if (!BEGINNING.test(piece)) return 0;
  for (let length = piece.length; length >= 2; length--) {
    if (isWordCharacter(text[offset + length])) continue;
    const candidate = piece.slice(0, length);
    if (isIPv6(candidate) && TWO_GROUPS.test(candidate)) return length;
  }
  return 0;
}

function isWordCharacter(character: string | undefined): boolean {
  return character !== undefined && WORD_CHARACTER.test(character);
}
