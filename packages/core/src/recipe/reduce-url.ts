const SCHEME = /^([A-Za-z][A-Za-z0-9+.-]{0,31}):/;
/** A segment's parameters, such as `;jsessionid=1A2B`. */
const PARAMETERS = /;[^/]*/g;
const MAX_QUERY_PAIRS = 200;

/**
 * Compiles what is kept of an absolute or relative URL: no fragment, user info or `;parameters`,
 * of the query only the pairs whose decoded key is listed, in their order, and personal data in
 * host, path and kept values masked. Of a URL without a host (`mailto:`, `data:`) only the scheme
 * is kept.
 */
export function compileReduceUrl(
  queryKeys: readonly string[],
  maskText: (text: string) => string,
): (url: string) => string {
  const kept = new Set(queryKeys);
  return (url) => {
    const end = url.search(/[?#]/);
    const plain = end < 0 ? url : url.slice(0, end);
    // Most URLs of a log are plain paths, which these searches tell faster than the patterns.
    const scheme = plain.includes(':') ? (SCHEME.exec(plain)?.[0] ?? '') : '';
    const path = plain.slice(scheme.length);
    const rest = path.includes(';') ? path.replace(PARAMETERS, '') : path;
    if (scheme !== '' && !rest.startsWith('//')) return scheme;
    const reduced = scheme + maskText(rest.startsWith('//') ? withoutUserInfo(rest) : rest);
    const query = end < 0 || kept.size === 0 ? '' : keptQuery(url.slice(end), kept, maskText);
    return reduced + query;
  };
}

function withoutUserInfo(authorityAndPath: string): string {
  const pathAt = authorityAndPath.indexOf('/', 2);
  const authorityEnd = pathAt < 0 ? authorityAndPath.length : pathAt;
  const at = authorityAndPath.lastIndexOf('@', authorityEnd);
  return at < 2 ? authorityAndPath : `//${authorityAndPath.slice(at + 1)}`;
}

function keptQuery(queryAndFragment: string, kept: ReadonlySet<string>, maskText: (text: string) => string): string {
  if (!queryAndFragment.startsWith('?')) return '';
  const fragmentAt = queryAndFragment.indexOf('#');
  const query = queryAndFragment.slice(1, fragmentAt < 0 ? undefined : fragmentAt);
  const pairs = query
    .split('&', MAX_QUERY_PAIRS)
    .filter((pair) => kept.has(keyOf(pair)))
    .map((pair) => maskPair(pair, maskText));
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
}

function keyOf(pair: string): string {
  const equalsAt = pair.indexOf('=');
  const key = (equalsAt < 0 ? pair : pair.slice(0, equalsAt)).replaceAll('+', ' ');
  try {
    return decodeURIComponent(key);
  } catch (error) {
    if (error instanceof URIError) return key;
    throw error;
  }
}

/** The value alone is searched, so that a key such as `token` (which a policy may keep) does not count as a find. */
function maskPair(pair: string, maskText: (text: string) => string): string {
  const equalsAt = pair.indexOf('=');
  if (equalsAt < 0) return pair;
  const value = pair.slice(equalsAt + 1);
  const plain = value.replaceAll('+', ' ');
  const masked = maskText(plain);
  return `${pair.slice(0, equalsAt)}=${masked === plain ? value : masked}`;
}
