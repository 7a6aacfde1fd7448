import { type Content, type Html, html } from './html.ts';

/** A mark and its word, so that no colour is needed to tell. */
export const PASSED = { tone: 'good', mark: '✓', word: 'passed' } as const;
export const FAILED = { tone: 'bad', mark: '✕', word: 'failed' } as const;

/** A table that scrolls by itself where the screen is too narrow for it. */
export function scrolling(label: string, table: Html): Html {
  return html`<div class="scroll" role="region" aria-label="${label}" tabindex="0">${table}</div>`;
}

/** A chart in two forms, for wide and for narrow screens, with its caption. What it shows also stands in a table. */
export function figure(kind: string, caption: Content, draw: (isNarrow: boolean) => Html | undefined): Html {
  return html`<figure class="${kind}"><figcaption>${caption}</figcaption>
<div class="wide">${draw(false)}</div><div class="narrow">${draw(true)}</div></figure>`;
}

/** A colour's name in a legend. */
export function keyEntry(colour: string, name: string): Html {
  return html`<li><svg viewBox="0 0 11 8" aria-hidden="true"><rect width="11" height="8" rx="1.5" fill="${colour}"></rect></svg>${name}</li>`;
}

/** A small square of a colour, in front of what the text names. */
export function swatch(colour: string): Html {
  return html`<svg class="swatch" viewBox="0 0 8 8" aria-hidden="true"><rect width="8" height="8" rx="1.5" fill="${colour}"></rect></svg>`;
}

/** A bar of `share` (0 to 1) of its track. Decoration: the number stands beside it. */
export function shareBar(share: number): Html {
  const width = Math.round(Math.min(1, Math.max(0, share)) * 1_000) / 10;
  return html`<svg class="bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true"><rect class="track" width="100" height="6"></rect><rect class="fill" width="${width}" height="6"></rect></svg>`;
}

/** `1.25 %` of a whole; nothing of an empty one. */
export function percent(part: number, whole: number): string {
  if (whole === 0) return '';
  const share = (part / whole) * 100;
  if (share > 0 && share < 0.01) return '< 0.01 %';
  return `${Number(share.toPrecision(3))} %`;
}

/** Words of a name in the database: `data_privacy_officer` is `data privacy officer`. */
export function words(name: string): string {
  return name.replaceAll('_', ' ');
}
