import { maskPersonalData } from './detectors/mask-personal-data.ts';

const SCHEME = /^([A-Za-z][A-Za-z0-9+.-]{0,31}):/;

/**
 * An absolute or relative URL without query, fragment and user info, and with e-mail and IP
 * addresses in host and path masked. Of a URL without a host (`mailto:`, `data:`) only the
 * scheme is kept.
 */
export function reduceUrl(url: string): string {
  const end = url.search(/[?#]/);
  const plain = end < 0 ? url : url.slice(0, end);
  const scheme = SCHEME.exec(plain)?.[0] ?? '';
  const rest = plain.slice(scheme.length);
  if (scheme !== '' && !rest.startsWith('//')) return scheme;
  return maskPersonalData(rest.startsWith('//') ? scheme + withoutUserInfo(rest) : rest);
}

function withoutUserInfo(authorityAndPath: string): string {
  const pathAt = authorityAndPath.indexOf('/', 2);
  const authorityEnd = pathAt < 0 ? authorityAndPath.length : pathAt;
  const at = authorityAndPath.lastIndexOf('@', authorityEnd);
  return at < 2 ? authorityAndPath : `//${authorityAndPath.slice(at + 1)}`;
}
