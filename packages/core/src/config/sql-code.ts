/** `$$` or `$name$`, at this very place. */
const DOLLAR_QUOTE = /\$(?:[a-z_]\w*)?\$/iy;
const WORD = /\w/;

/** Where a text in quotes ends that begins at `start`: a quote that is doubled does not end it. -1 when it does not. */
function endOfQuoted(sql: string, start: number, hasEscapes: boolean): number {
  const quote = sql[start];
  for (let at = start + 1; at < sql.length; at += 1) {
    if (hasEscapes && sql[at] === '\\') at += 1;
    else if (sql[at] === quote) {
      if (sql[at + 1] !== quote) return at + 1;
      at += 1;
    }
  }
  return -1;
}

/** `E'…'`: an e of its own before the quote. */
function isEscapeString(sql: string, quoteAt: number): boolean {
  return /e/i.test(sql[quoteAt - 1] ?? '') && !WORD.test(sql[quoteAt - 2] ?? '');
}

/** Where the comment, string, quoted name or dollar-quoted text at a place ends; undefined where there is none of them. */
function endOfNoCode(sql: string, at: number): number | undefined {
  const after = (text: string, from: number) => {
    const found = sql.indexOf(text, from);
    return found < 0 ? -1 : found + text.length;
  };
  if (sql.startsWith('--', at)) {
    const end = sql.indexOf('\n', at);
    return end < 0 ? sql.length : end;
  }
  if (sql.startsWith('/*', at)) return after('*/', at + 2);
  if (sql[at] === '"') return endOfQuoted(sql, at, false);
  if (sql[at] === "'") return endOfQuoted(sql, at, isEscapeString(sql, at));
  if (sql[at] !== '$') return undefined;
  DOLLAR_QUOTE.lastIndex = at;
  const tag = DOLLAR_QUOTE.exec(sql)?.[0];
  return tag === undefined ? undefined : after(tag, at + tag.length);
}

/**
 * A statement of SQL without what is no code: comments, strings, quoted names and dollar-quoted texts (PostgreSQL, Lexical
 * Structure), each as one blank. In time that grows with its length. A comment ends at its first end: PostgreSQL nests
 * them, so that what is left of a comment inside a comment is taken for code.
 *
 * @returns undefined when one of them does not end
 */
export function codeOfSql(sql: string): string | undefined {
  const pieces: string[] = [];
  let codeFrom = 0;
  for (let at = 0; at < sql.length; ) {
    const end = endOfNoCode(sql, at);
    if (end === undefined) {
      at += 1;
      continue;
    }
    if (end < 0) return undefined;
    pieces.push(sql.slice(codeFrom, at));
    at = end;
    codeFrom = end;
  }
  return [...pieces, sql.slice(codeFrom)].join(' ');
}
