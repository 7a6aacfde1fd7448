import type { Detector } from './detector.ts';

const MASK = '[email]';
const AT_SIGN = /@|%40|＠/g;
const MAX_LOCAL = 64;
const MAX_DOMAIN = 253;
/** Fewer signs than RFC 5322 allows: `/`, `=` and `&` end a path segment or a query field before it. */
const LOCAL_SIGN = /[\p{L}\p{N}\p{M}'+_~%.-]/u;
const QUOTED_LOCAL_PART = /"[^"]{1,62}"$/;
const LABEL = String.raw`[\p{L}\p{N}\p{M}_-]{1,63}`;
const DOMAIN = new RegExp(String.raw`^(?:\[[0-9A-Fa-f:.]{2,64}\]|${LABEL}(?:\.${LABEL}){1,8})`, 'u');

/**
 * E-mail addresses, also with a percent-encoded or full-width at sign. Looks at bounded pieces
 * left and right of each at sign, so the time is linear in the text.
 */
export const email: Detector = {
  name: 'email',
  hint: /[@＠]|%40/,
  judgesIdentifiers: true,
  mask(text) {
    let masked = '';
    let keptFrom = 0;
    for (const match of text.matchAll(AT_SIGN)) {
      const at = match.index;
      if (at < keptFrom) continue;
      const start = localPartStart(text, keptFrom, at);
      if (start === at) continue;
      const afterAt = at + match[0].length;
      const domain = DOMAIN.exec(text.slice(afterAt, afterAt + MAX_DOMAIN));
      if (domain === null) continue;
      masked += text.slice(keptFrom, start) + MASK;
      keptFrom = afterAt + domain[0].length;
    }
    return keptFrom === 0 ? text : masked + text.slice(keptFrom);
  },
};

/** Where the local part before an at sign begins; `at` if there is none. */
function localPartStart(text: string, from: number, at: number): number {
  const first = Math.max(from, at - MAX_LOCAL);
  if (text[at - 1] === '"') {
    return at - (QUOTED_LOCAL_PART.exec(text.slice(first, at))?.[0].length ?? 0);
  }
  let start = at;
  // A half of a surrogate pair is no letter by itself, but may be of a name all the same.
  while (start > first && (LOCAL_SIGN.test(text[start - 1] ?? '') || isSurrogate(text, start - 1))) {
    start--;
  }
  // The limit may have fallen between the halves of a pair, which must stay together.
  return start > from && start < at && isLowSurrogate(text, start) ? start - 1 : start;
}

function isSurrogate(text: string, index: number): boolean {
  return (text.charCodeAt(index) & 0xf800) === 0xd800;
}

function isLowSurrogate(text: string, index: number): boolean {
  return (text.charCodeAt(index) & 0xfc00) === 0xdc00;
}
