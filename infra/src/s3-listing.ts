export interface ListingOptions {
  prefix?: string;
  delimiter?: string;
  /** Keys up to and including this one are left out. */
  startAfter?: string;
  maxKeys?: number;
}

/**
 * One page of a listing as S3 gives it: keys in the order of their UTF-8 bytes, and the keys that
 * share a folder rolled up into it.
 */
export function listPage(
  keys: readonly string[],
  options: ListingOptions,
): { keys: string[]; commonPrefixes: string[]; isTruncated: boolean } {
  const { prefix = '', delimiter = '', startAfter = '', maxKeys = 1_000 } = options;
  const page: string[] = [];
  const folders = new Set<string>();
  const after = Buffer.from(startAfter);
  const matching = keys
    .filter((key) => key.startsWith(prefix))
    .map((key) => ({ key, bytes: Buffer.from(key) }))
    .filter(({ bytes }) => Buffer.compare(bytes, after) > 0)
    .sort((a, b) => Buffer.compare(a.bytes, b.bytes));
  for (const { key } of matching) {
    const end = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
    if (end !== -1) {
      folders.add(key.slice(0, end + delimiter.length));
      continue;
    }
    if (page.length === maxKeys) return { keys: page, commonPrefixes: [...folders], isTruncated: true };
    page.push(key);
  }
  return { keys: page, commonPrefixes: [...folders], isTruncated: false };
}
