import { formatCount } from '../../text/format-number.ts';
import { drawBalanceFlow } from '../charts/balance-flow.ts';
import { OUTCOME_KINDS } from '../outcome-kinds.ts';
import type { Report, ReportFile } from '../report.ts';
import { type Html, html } from './html.ts';
import { figure, percent, scrolling, swatch } from './parts.ts';

/** More files than this are folded up. */
const MAX_OPEN_FILES = 8;

/** Where every line went: as a flow, as numbers, and per file. */
export function balanceSection(report: Report): Html {
  const { balance } = report;
  const accounted = OUTCOME_KINDS.reduce((sum, { kind }) => sum + balance[kind], 0);
  const gap = balance.read - accounted;
  const told =
    gap === 0
      ? 'Every line that was read ended in exactly one outcome.'
      : `${formatCount(Math.abs(gap))} lines ${gap > 0 ? 'have no outcome' : 'are counted twice'}.`;
  const isEmpty = balance.read === 0;
  return html`<section aria-labelledby="balance"><h2 id="balance">Where every line went</h2>
<p>${isEmpty ? 'No line is booked for this batch.' : told}</p>
${!isEmpty && figure('flow', 'Lines by file and outcome; the numbers are in the table below.', (isNarrow) => drawBalanceFlow(report, isNarrow))}
${!isEmpty && outcomeTable(report)}
${report.files.length > 0 && fileTable(report.files)}</section>`;
}

function outcomeTable({ balance }: Report): Html {
  const rows = OUTCOME_KINDS.map(
    ({ kind, title, means, colour }) =>
      html`<tr><th scope="row">${swatch(colour)}${title}</th><td>${means}</td><td class="number">${formatCount(balance[kind])}</td><td class="number">${percent(balance[kind], balance.read)}</td></tr>`,
  );
  return scrolling(
    'Lines by outcome',
    html`<table><caption class="hidden">Lines by outcome</caption><thead><tr><th scope="col">outcome</th><th scope="col">what it is</th><th scope="col" class="number">lines</th><th scope="col" class="number">share</th></tr></thead>
<tbody>${rows}<tr class="total"><th scope="row">read</th><td></td><td class="number">${formatCount(balance.read)}</td><td></td></tr></tbody></table>`,
  );
}

const FILE_COLUMNS = ['read', 'inserted', 'duplicate', 'suppressed', 'expired', 'filtered', 'quarantined'] as const;

function fileTable(files: readonly ReportFile[]): Html {
  const rows = files.map(
    (file) =>
      html`<tr><th scope="row">${file.source_file}</th>${FILE_COLUMNS.map((name) => html`<td class="number">${formatCount(file[name])}</td>`)}</tr>`,
  );
  const table = scrolling(
    'Balance per file',
    html`<table><caption>${files.length === 1 ? 'The file' : `All ${formatCount(files.length)} files`}, line by line</caption><thead><tr><th scope="col">file</th>${FILE_COLUMNS.map((name) => html`<th scope="col" class="number">${name}</th>`)}</tr></thead><tbody>${rows}</tbody></table>`,
  );
  if (files.length <= MAX_OPEN_FILES) return table;
  return html`<details><summary>Balance of each of ${formatCount(files.length)} files</summary>${table}</details>`;
}
