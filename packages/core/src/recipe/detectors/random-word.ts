import type { Detector } from './detector.ts';

const WORD = /(?<![A-Za-z0-9_])[A-Za-z0-9_]{32,}/g;

/**
 * Long words of letters and digits mixed, as session ids, API keys and hashes of names are: what
 * opens a door or can be looked up is not for free text.
 */
export const randomWord: Detector = {
  name: 'random-word',
  hint: /[A-Za-z0-9_]{32}/,
  judgesIdentifiers: false,
  mask: (text) => text.replace(WORD, (word) => (isRandom(word) ? '[token]' : word)),
};

/** At least four digits and four letters: no word of a language, and no number. */
function isRandom(word: string): boolean {
  const digits = word.replace(/\D/g, '').length;
  const letters = word.replace(/[\d_]/g, '').length;
  return digits >= 4 && letters >= 4;
}
