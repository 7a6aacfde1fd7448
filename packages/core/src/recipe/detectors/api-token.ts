import type { Detector } from './detector.ts';

/** How the tokens of well-known services begin. */
const PREFIXES = [
  '[spr]k_(?:live|test)_',
  'whsec_',
  'sk-',
  'gh[opsur]_',
  'github_pat_',
  'glpat-',
  'xox[abeoprs]-',
  'xapp-',
  'A[KS]IA',
  'AIza',
  'ya29\\.',
  'SG\\.',
  'npm_',
  'pypi-',
  'hf_',
  'dop_v1_',
  'shp(?:at|ca|pa|ss)_',
  'EAAC',
].join('|');
const TOKEN = new RegExp(String.raw`(?<![\w-])(?:${PREFIXES})[\w.=-]{12,}`, 'g');
const QUOTE = `["']?`;
/** What follows a scheme of HTTP, if it is no word. */
const SCHEME = /(?<![A-Za-z])((?:bearer|basic) )(?=[A-Za-z+/_.~-]{0,80}[\d=])[\w+/=.~-]{6,}/gi;
/** What a name that only secrets have is set to. */
const SECRET = new RegExp(
  String.raw`(?<![A-Za-z])((?:[a-z]{2,12}[_-]?)?(?:token|secret|passw(?:or)?d|passphrase|pwd|sess(?:ion)?_?id|api[_-]?key|access[_-]?key|private[_-]?key)${QUOTE}[=:] ?${QUOTE})[^\s"'&;,[\]]{6,}`,
  'gi',
);

/** API tokens of well-known services, and what follows `Bearer`, `token=` and their like. */
export const apiToken: Detector = {
  name: 'api-token',
  hint: /[_.-][\w.=-]{12}|A[KS]IA|AIza|EAAC|[Bb]earer |[Bb]asic |BEARER |BASIC |[A-Za-z]["']?[=:] ?["']?[^\s"'&;,[\]]{6}/,
  judgesIdentifiers: true,
  mask: (text) => text.replace(TOKEN, '[token]').replace(SCHEME, '$1[token]').replace(SECRET, '$1[token]'),
};
