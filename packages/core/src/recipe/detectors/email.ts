import type { Detector } from './detector.ts';

const MASK = '[email]';
const AT_SIGN = /@|%40|＠/g;
const MAX_LOCAL = 64;
const MAX_DOMAIN = 253;
/** Fewer signs than RFC 5322 allows: `/`, `=` and `&` end a path segment or a query field before it. */
const LOCAL_PART = /[\p{L}\p{N}\p{M}'+_~%.-]{1,64}$/u;
const QUOTED_LOCAL_PART = /"[^"]{1,62}"$/;
const DOMAIN = /^(?:\[[0-9A-Fa-f:.]{2,64}\]|[\p{L}\p{N}\p{M}_-]{1,63}(?:\.[\p{L}\p{N}\p{M}_-]{1,63}){1,8})/u;

/**
 * E-mail addresses, also with a percent-encoded or full-width at sign. Looks at bounded pieces
 * left and right of each at sign, so the time is linear in the text.
 */
export const email: Detector = {
  name: 'email',
  mask(text) {
    let masked = '';
    let keptFrom = 0;
    for (const match of text.matchAll(AT_SIGN)) {
      const at = match.index;
      if (at < keptFrom) continue;
      const before = text.slice(Math.max(keptFrom, at - MAX_LOCAL), at);
      const local = LOCAL_PART.exec(before) ?? QUOTED_LOCAL_PART.exec(before);
      const afterAt = at + match[0].length;
      const domain = DOMAIN.exec(text.slice(afterAt, afterAt + MAX_DOMAIN));
      if (local === null || domain === null) continue;
      masked += text.slice(keptFrom, at - local[0].length) + MASK;
      keptFrom = afterAt + domain[0].length;
    }
    return keptFrom === 0 ? text : masked + text.slice(keptFrom);
  },
};
