import { formatCount, formatQuantity } from '../../text/format-number.ts';
import { drawKpiLines } from '../charts/kpi-lines.ts';
import { formatObserved, type GateMeaning, gateMeaning } from '../gate-meanings.ts';
import type { KpiDay, Report, ReportKpi } from '../report.ts';
import { type Html, html } from './html.ts';
import { figure, keyEntry, scrolling } from './parts.ts';

/** The KPIs per local day, with the lost window marked. Nothing where none was measured by day. */
export function kpiSection({ kpis }: Report): Html | undefined {
  const shown = kpis.filter(({ days }) => days.length > 0);
  if (shown.length === 0) return undefined;
  return html`<section aria-labelledby="kpis"><h2 id="kpis">What the numbers will say</h2>${shown.map(kpiPart)}</section>`;
}

function kpiPart({ kpi, days }: ReportKpi): Html {
  const { title, unit } = gateMeaning(kpi);
  const isShare = unit === 'points';
  const lost = days.filter(({ in_window }) => in_window).length;
  const caption = html`${title} per local day; ${formatQuantity(lost, 'day')} of the lost window on tinted ground.<br><ul class="key">${keyEntry('var(--good)', 'with this batch')}${keyEntry('var(--before)', 'live now (dashed)')}${keyEntry('var(--ink-3)', 'baseline (dotted)')}${keyEntry('var(--lost)', 'lost window')}</ul>`;
  return html`<h3 class="hidden">${title}</h3>${figure('kpi', caption, (isNarrow) => drawKpiLines(days, isShare, isNarrow))}
<details><summary>${title}, each day</summary>${kpiTable(title, days, isShare)}</details>`;
}

function kpiTable(title: string, days: readonly KpiDay[], isShare: boolean): Html {
  const unit: GateMeaning = { title, proves: '', unit: 'share' };
  const format = (value: number) => (isShare ? formatObserved(unit, value) : formatCount(value));
  const cell = (value: number | null) => html`<td class="number">${value === null ? '–' : format(value)}</td>`;
  return scrolling(
    title,
    html`<table><caption class="hidden">${title} per day</caption><thead><tr><th scope="col">day</th><th scope="col">window</th><th scope="col" class="number">live now</th><th scope="col" class="number">with this batch</th><th scope="col" class="number">baseline</th><th scope="col">its source</th></tr></thead>
<tbody>${days.map((day) => html`<tr><th scope="row">${day.day}</th><td>${day.in_window ? 'lost' : ''}</td>${cell(day.live)}${cell(day.proposed)}${cell(day.baseline)}<td>${day.baseline_source}</td></tr>`)}</tbody></table>`,
  );
}
