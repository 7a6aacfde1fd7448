import { hash } from 'node:crypto';
import { approvalsSection } from './page/approvals-section.ts';
import { balanceSection } from './page/balance-section.ts';
import { countsSection } from './page/counts-section.ts';
import { gatesSection } from './page/gates-section.ts';
import { Html, html } from './page/html.ts';
import { kpiSection } from './page/kpi-section.ts';
import { lineageSection } from './page/lineage-section.ts';
import { NEWS_PLACE } from './page/news.ts';
import { words } from './page/parts.ts';
import { placed } from './page/place.ts';
import { replacementSection } from './page/replacement-section.ts';
import { type ShownSamples, samplesSection } from './page/samples-section.ts';
import { STYLE } from './page/style.ts';
import { verdictSection } from './page/verdict-section.ts';
import type { Report } from './report.ts';
import { shortTime } from './verdict.ts';

/** The page may use its one style sheet and nothing else: no script, no image, no request. */
const POLICY = `default-src 'none'; style-src 'sha256-${hash('sha256', STYLE, 'base64')}'; base-uri 'none'; form-action 'none'`;

/**
 * `report.html`: one page that needs nothing but itself. A pure function of the report and its samples, so that it can be
 * made again at any time. Loads the library of the charts with it (some 50 MB of memory).
 */
export function renderReport(report: Report, samples: ShownSamples): string {
  const kpis = kpiSection(report);
  const replacement = replacementSection(report);
  const chapters: [id: string, name: string][] = [
    ['balance', 'Balance'],
    ['gates', 'Gates'],
    ...(replacement === undefined ? [] : [['replacement', 'What changes'] as [string, string]]),
    ['counts', 'Before and after'],
    ...(kpis === undefined ? [] : [['kpis', 'KPIs'] as [string, string]]),
    ['approvals', 'Approvals'],
    ['lineage', 'Lineage'],
    ['samples', 'Samples'],
  ];
  const { markup } = html`${new Html('<!doctype html>')}
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" content="no-referrer"><meta name="robots" content="noindex">
<title>${report.batch_id}: ${report.verdict.sentence}</title><style>${new Html(STYLE)}</style></head><body>
<a class="skip" href="#verdict">To the verdict</a>
<header><p class="kicker">Backfill verification report</p><h1>${report.batch_id}</h1>
<p class="sub"><span>${report.source}</span><span>${words(report.reason)}</span><span>${shortTime(report.window.start)}&nbsp;– ${shortTime(report.window.end)}</span>${report.attempt > 1 && html`<span>attempt ${report.attempt}</span>`}</p></header>
<main>${NEWS_PLACE}${placed('verdict', verdictSection(report))}
<nav aria-label="Chapters"><ul>${chapters.map(([id, name]) => html`<li><a href="#${id}">${name}</a></li>`)}</ul></nav>
${balanceSection(report)}${gatesSection(report)}${replacement}${countsSection(report)}${kpis}${placed('approvals', approvalsSection(report))}${lineageSection(report)}${samplesSection(report.samples, samples)}</main>
<footer><p>Written ${shortTime(report.written_at)} for the status <em>${words(report.status)}</em>, submitted by ${report.submitted_by}. The same numbers, for programs: <code>report.json</code>.</p></footer>
</body></html>`;
  return `${markup}\n`;
}
