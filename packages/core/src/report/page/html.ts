/** Markup that may stand in a page as it is. Made by {@link html} only. */
export class Html {
  readonly markup: string;

  constructor(markup: string) {
    this.markup = markup;
  }
}

export type Content = Html | string | number | null | undefined | false | readonly Content[];

const SIGNS: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
// Written backwards or invisible, they would let a name pass for another one.
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}]/gu;

/** Text as it stands in markup, in attributes with quotes too. Signs that cannot be seen are written as their code. */
export function escapeText(text: string): string {
  return text
    .replace(INVISIBLE, (sign) => (sign === '\n' || sign === '\t' ? sign : visible(sign)))
    .replace(/[&<>"']/g, (sign) => SIGNS[sign] as string);
}

function visible(sign: string): string {
  return `\\u{${(sign.codePointAt(0) as number).toString(16)}}`;
}

function render(content: Content): string {
  if (content instanceof Html) return content.markup;
  if (Array.isArray(content)) return content.map(render).join('');
  if (content === null || content === undefined || content === false) return '';
  return escapeText(String(content));
}

/** A piece of a page: every value in it is escaped, but what is markup already. */
export function html(pieces: TemplateStringsArray, ...values: Content[]): Html {
  let markup = pieces[0] as string;
  for (const [at, value] of values.entries()) markup += render(value) + pieces[at + 1];
  return new Html(markup);
}
