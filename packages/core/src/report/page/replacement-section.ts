import { type ChangeCounts, changesByType, sumChanges } from '../../domain/replacement-change.ts';
import { formatCount, formatQuantity } from '../../text/format-number.ts';
import { formatTarget } from '../../text/format-replacement.ts';
import type { Report } from '../report.ts';
import { type Html, html } from './html.ts';
import { scrolling } from './parts.ts';

/** What changes against what the batch replaces, by type and by day. Nothing where it replaces nothing. */
export function replacementSection({ replacement, verdict }: Report): Html | undefined {
  if (replacement == null) return undefined;
  const { replaces, rows, changes } = replacement;
  const total = sumChanges(changes);
  const outcome = {
    published: 'The publish has put',
    rolled_back: 'The publish had put, until it was taken back,',
  }[verdict.outcome as string];
  const told = `${outcome ?? 'The publish puts'} ${formatQuantity(total.proposed, 'event')} in the place of ${formatQuantity(rows, 'event')}: ${formatTarget(replaces)} in this window. A rollback brings those back.`;
  const byType = changesByType(changes).map(({ event_name, ...counts }) => ({ cells: [event_name], ...counts }));
  const byDay = changes.map(({ event_name, day, ...counts }) => ({ cells: [event_name, day], ...counts }));
  return html`<section aria-labelledby="replacement"><h2 id="replacement">What changes</h2><p>${told}</p>
${changes.length > 0 && changeTable('What changes, by type', ['type'], byType)}
${changes.length > 0 && html`<details><summary>Each type on each day</summary>${changeTable('What changes, by type and day (UTC)', ['type', 'day'], byDay)}</details>`}
<p class="note">The same: with the same id. Changed: of the same time, type and session, with another payload. Who signs the publish signs exactly this.</p></section>`;
}

function changeTable(caption: string, heads: string[], rows: (ChangeCounts & { cells: string[] })[]): Html {
  const number = (value: number) => html`<td class="number">${formatCount(value)}</td>`;
  return scrolling(
    caption,
    html`<table><caption class="hidden">${caption}</caption><thead><tr>${heads.map((head) => html`<th scope="col">${head}</th>`)}${['replaced', 'gone', 'changed', 'the same', 'added', 'after'].map((head) => html`<th scope="col" class="number">${head}</th>`)}</tr></thead>
<tbody>${rows.map(({ cells: [first, ...others], ...counts }) => html`<tr><th scope="row">${first}</th>${others.map((cell) => html`<td>${cell}</td>`)}${number(counts.replaced)}${number(counts.gone)}${number(counts.changed)}${number(counts.identical)}${number(counts.added)}${number(counts.proposed)}</tr>`)}</tbody></table>`,
  );
}
