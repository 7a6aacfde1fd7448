import type { DetectorName } from '../../domain/detector-name.ts';
import { compileTextMask } from './mask-personal-data.ts';
import { phone } from './phone.ts';

/**
 * What is looked for in the name of a file. Only what no machine writes there: names are full of dates, counters, hashes
 * and servers' addresses, which the other detectors take for cards, telephone numbers, tokens and visitors' addresses.
 */
const DETECTORS: readonly DetectorName[] = ['jwt', 'email', 'iban'];
const mask = compileTextMask(DETECTORS);
const INTERNATIONAL_NUMBER = /(?<![\w+])\+[1-9][\d ()./-]{6,25}/g;
/** What stands behind a file's name proper. With it, `unit@instance.log` would look like an address. */
const EXTENSION =
  /\.(?:log|txt|json|jsonl|ndjson|csv|tsv|xml|gz|gzip|zst|zip|bz2|xz|tar|parquet|avro|bak|old|tmp|part|service|png|\d+)$/i;

/** Names that are listed in an error. */
const MAX_LISTED = 10;

/** The kinds of personal data that a file's name shows beyond doubt: e-mail addresses, IBANs, JWTs, +49 151 …. */
export function personalDataInName(name: string): DetectorName[] {
  const found = new Set<DetectorName>();
  for (const segment of decoded(name).split('/')) {
    mask(withoutExtensions(segment), (kind) => found.add(kind));
    const numbers = segment.match(INTERNATIONAL_NUMBER) ?? [];
    if (numbers.some((number) => phone.mask(number) !== number)) found.add('phone');
  }
  return [...found];
}

function withoutExtensions(name: string): string {
  const shorter = name.replace(EXTENSION, '');
  return shorter === name ? name : withoutExtensions(shorter);
}

/** Many tools write names percent-encoded. */
function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch (error) {
    if (error instanceof URIError) return name;
    throw error;
  }
}

/**
 * Which of these names show personal data, by their place from 1 on and never as they are written: `2 (email), 4 (phone)`.
 * Undefined when none does.
 */
export function findPersonalNames(names: readonly string[]): { count: number; places: string } | undefined {
  const places = names.flatMap((name, index) => {
    const kinds = personalDataInName(name);
    return kinds.length > 0 ? [`${index + 1} (${kinds.join(', ')})`] : [];
  });
  if (places.length === 0) return undefined;
  const rest = places.length > MAX_LISTED ? ', …' : '';
  return { count: places.length, places: places.slice(0, MAX_LISTED).join(', ') + rest };
}
