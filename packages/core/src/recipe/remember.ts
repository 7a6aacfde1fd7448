/** Longer texts are rare, and would let hostile input fill the memory. */
const MAX_TEXT_LENGTH = 512;

/**
 * A pure function of a text that remembers recent results: sessions, visitors and browsers come
 * back within minutes of a log. At `size` results it forgets them all, so memory stays bounded.
 */
export function remember<Result>(size: number, make: (text: string) => Result): (text: string) => Result {
  const results = new Map<string, Result>();
  return (text) => {
    const known = results.get(text);
    if (known !== undefined) return known;
    const made = make(text);
    if (text.length > MAX_TEXT_LENGTH) return made;
    if (results.size >= size) results.clear();
    // A copy, because a slice of a line would keep the whole line in memory.
    results.set(JSON.parse(JSON.stringify(text)), made);
    return made;
  };
}
