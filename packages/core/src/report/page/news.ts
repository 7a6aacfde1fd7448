import { Html, html } from './html.ts';
import { words } from './parts.ts';

/** Where a stored page has room for what happened since. No text of a page can look like this. */
const PLACE = '<!--news-->';

/** The place, in a page that is made. */
export const NEWS_PLACE = new Html(PLACE);

/** A stored page that says that its batch is in another status by now. */
export function withNewStatus(page: string, status: string): string {
  const { markup } =
    html`<p class="news" role="status"><strong>This batch is ${words(status)} by now</strong>, and the report below is about what was before. A new one is written when the batch rests.</p>`;
  return page.replace(PLACE, () => PLACE + markup);
}
