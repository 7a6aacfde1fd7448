import { formatCount, formatQuantity } from '../../text/format-number.ts';
import { drawDayBars } from '../charts/day-bars.ts';
import { type DayTotal, type Totals, totalsByDay, totalsByType } from '../count-totals.ts';
import type { Report } from '../report.ts';
import { type Html, html } from './html.ts';
import { figure, keyEntry, scrolling } from './parts.ts';

/** More types than this are folded up. */
const MAX_OPEN_TYPES = 15;

/** Events per day and per type, before and after. */
export function countsSection({ days: counts, source, is_counted, verdict }: Report): Html {
  const days = totalsByDay(counts);
  const types = totalsByType(counts);
  const added = is_counted ? 'added by the batch' : 'to be added by the batch';
  const total = days.reduce((sum, { added: one }) => sum + one, 0);
  const isReplacing = days.some(({ replaced }) => replaced > 0);
  const told =
    days.length === 0
      ? `There are no events of ${source} in the window, before or after.`
      : `${formatQuantity(total, 'event')} of ${formatQuantity(types.length, 'type')} ${is_counted ? '' : 'to be '}added on ${formatQuantity(days.length, 'day')} (UTC).`;
  const rolledBack =
    verdict.outcome === 'rolled_back' ? ' The batch was taken back: what is left is what was there before.' : '';
  if (days.length === 0)
    return html`<section aria-labelledby="counts"><h2 id="counts">Before and after</h2><p>${told}</p></section>`;
  const caption = html`Events per day.<br><ul class="key">${keyEntry('var(--before)', isReplacing ? 'live before, and stay' : 'live before')}${keyEntry('var(--good)', added)}</ul>`;
  return html`<section aria-labelledby="counts"><h2 id="counts">Before and after</h2><p>${told}${rolledBack}</p>
${figure('days', caption, (isNarrow) => drawDayBars(days, isNarrow))}
${typeTables(types.map(({ event_name, ...rest }) => ({ name: event_name, ...rest })))}
<details><summary>Each day</summary>${dayTable(days)}</details>
<p class="note">Each type on each day: <code>analytics_backfill_verification.csv</code></p></section>`;
}

function typeTables(types: readonly (Totals & { name: string })[]): Html {
  const [open, folded] = [types.slice(0, MAX_OPEN_TYPES), types.slice(MAX_OPEN_TYPES)];
  return html`${countTable('Events by type', 'type', open)}${folded.length > 0 && html`<details><summary>${formatQuantity(folded.length, 'more type')}</summary>${countTable('Further types', 'type', folded)}</details>`}`;
}

function dayTable(days: readonly DayTotal[]): Html {
  return countTable(
    'Events by day',
    'day',
    days.map(({ day, ...totals }) => ({ name: day, ...totals })),
  );
}

function countTable(caption: string, first: string, rows: readonly (Totals & { name: string })[]): Html {
  const isReplacing = rows.some(({ replaced }) => replaced > 0);
  return scrolling(
    caption,
    html`<table><caption class="hidden">${caption}</caption><thead><tr><th scope="col">${first}</th><th scope="col" class="number">before</th>${isReplacing && html`<th scope="col" class="number">replaced</th>`}<th scope="col" class="number">added</th><th scope="col" class="number">after</th></tr></thead>
<tbody>${rows.map(({ name, before, replaced, added }) => html`<tr><th scope="row">${name}</th><td class="number">${formatCount(before)}</td>${isReplacing && html`<td class="number">${formatCount(replaced)}</td>`}<td class="number">${formatCount(added)}</td><td class="number">${formatCount(before - replaced + added)}</td></tr>`)}</tbody></table>`,
  );
}
