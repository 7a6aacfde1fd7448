/** Seven digits with little between them: every number that names a person has that. */
export const DIGITS_HINT = /\d(?:\D{0,3}\d){6}/;

const RUN = /\d+(?:[ \u00a0\u202f./-]\d+)*/g;
const GROUP = /\d+/g;

/**
 * Replaces numbers that a person may have grouped in any way. From each group on, the longest row
 * of whole groups with `minDigits` to `maxDigits` digits that `isFind` accepts is replaced.
 */
export function replaceNumbers(
  text: string,
  options: {
    minDigits: number;
    maxDigits: number;
    replacement: string;
    isFind: (digits: string) => boolean;
    /** True where a + before the number means that it is none of these. */
    notAfterPlus?: boolean;
  },
): string {
  return text.replace(RUN, (run, offset: number) => {
    if (run.length < options.minDigits) return run;
    if (options.notAfterPlus && text[offset - 1] === '+') return run;
    const groups = [...run.matchAll(GROUP)].map((match) => ({ digits: match[0], start: match.index }));
    let replaced = '';
    let keptFrom = 0;
    for (let first = 0; first < groups.length; first++) {
      const length = findFrom(groups, first, options);
      if (length === 0) continue;
      const last = groups[first + length - 1];
      replaced += run.slice(keptFrom, groups[first]?.start) + options.replacement;
      keptFrom = last === undefined ? run.length : last.start + last.digits.length;
      first += length - 1;
    }
    return replaced + run.slice(keptFrom);
  });
}

/** How many groups from `first` on are a find together; 0 if none. At most `maxDigits` groups are looked at. */
function findFrom(
  groups: readonly { digits: string }[],
  first: number,
  { minDigits, maxDigits, isFind }: { minDigits: number; maxDigits: number; isFind: (digits: string) => boolean },
): number {
  let digits = '';
  let length = 0;
  for (let index = first; index < groups.length; index++) {
    digits += groups[index]?.digits ?? '';
    if (digits.length > maxDigits) break;
    if (digits.length >= minDigits && isFind(digits)) length = index - first + 1;
  }
  return length;
}
