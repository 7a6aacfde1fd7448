const HARMLESS = 0;
const OF_A_WORD = 1;
const TELLING = 2;
/** Longer than most words of a language; tokens without any digit are longer still. */
const LONG_WORD = 15;

/** What a sign below U+0300 says by itself. */
const SIGNS = new Uint8Array(0x300);
for (let code = 0; code < SIGNS.length; code++) {
  const sign = String.fromCharCode(code);
  if (/[\d@%=:]/.test(sign) || sign === '\u00ad') SIGNS[code] = TELLING;
  else if (/[\w.+-]/.test(sign)) SIGNS[code] = OF_A_WORD;
  else SIGNS[code] = HARMLESS;
}

/**
 * False for most text that people write: without a digit, a sign of `@%=:`, a long word or a sign
 * beyond U+02FF no detector can find anything. One look at each sign, because this is put to
 * every text.
 */
export function mayHoldPersonalData(text: string): boolean {
  let wordLength = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    const says = code < SIGNS.length ? SIGNS[code] : TELLING;
    if (says === TELLING) return true;
    wordLength = says === OF_A_WORD ? wordLength + 1 : 0;
    if (wordLength === LONG_WORD) return true;
  }
  return false;
}
